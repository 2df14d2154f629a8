#include "bench/load/client.h"

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>

#include <cstdlib>

namespace pointsman::bench {
namespace {

constexpr const char* kQuestions[] = {
    "A train leaves the junction at 9:40 and runs at 72 km/h; a second one follows on the same track at 9:55 and runs "
    "at "
    "96 km/h. Write down the equation for the distance of each from the junction, solve it for the time at which the "
    "second one catches up, and say how far from the junction that is, in kilometres.",
    "Please write a Python function that takes a list of (start, end) tuples of track reservations and returns the "
    "smallest number of tracks on which all of them fit without two overlapping on one track. Explain in two sentences "
    "why it is right, and state its running time in terms of the number of reservations.",
    "My neighbour's tree leans over the boundary of my garden and a branch has fallen on my shed. The neighbour says "
    "that it was an act of God and that I should pay for the repair myself. Which questions of law decide who is "
    "liable "
    "for the damage, and what evidence should I collect before I talk to a solicitor?",
    "Which events led from the first public railways of the 1820s to the great speculative mania of the 1840s, who "
    "gained and who lost when it broke, and how did the parliament of the time try to regulate fares, gauges and the "
    "opening of new lines afterwards? Three short paragraphs are enough, please.",
    "A patient of 54 years complains of a dry cough that has lasted for three weeks after a cold, without fever and "
    "without weight loss; he takes an ACE inhibitor for his blood pressure. Which causes should be considered first, "
    "and which simple steps would tell them apart before any imaging is ordered?",
    "Write the opening paragraph of a short story in which an old signalman, on the last night before his box is "
    "closed, "
    "hears the bell code of a train that was withdrawn thirty years ago. Keep it quiet rather than frightening, in the "
    "past tense, and end on the moment in which his hand reaches for the lever.",
    "Our company sells seats on night trains at a price fixed a year ahead, while the electricity for them is bought "
    "on "
    "the spot market. Which financial instruments could protect the margin against a doubling of that price, what "
    "would "
    "each of them cost us in an ordinary year, and which one suits a small firm best?",
    "Explain to a pupil of fourteen years why a steel wheel on a steel rail needs so much less force to keep rolling "
    "than a rubber tyre on a road, why the same property makes it so hard to stop a train, and what sand, spread on "
    "the "
    "rail in front of the wheel, changes about both. Use one everyday comparison.",
};

}  // namespace

std::string WhyNotLoopback(const std::string& target) {
  std::size_t colon = target.rfind(':');
  if (colon == std::string::npos) return "the target '" + target + "' has no port (right: 127.0.0.1:50051)";
  int port = std::atoi(target.c_str() + colon + 1);
  if (port < 1 || port > 65535) return "the target '" + target + "' has no port from 1 to 65535";
  std::string host = target.substr(0, colon);
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127) return "";
  if (host == "[::1]") return "";
  return "'" + host + "' is not a loopback address; this load generator only talks to 127.0.0.0/8 and [::1]";
}

std::vector<std::unique_ptr<v1::Pointsman::Stub>> Connect(const std::string& target, int count) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::vector<std::unique_ptr<v1::Pointsman::Stub>> stubs;
  for (int i = 0; i < count; ++i) {
    stubs.push_back(
        v1::Pointsman::NewStub(grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments)));
  }
  return stubs;
}

std::vector<v1::CompleteRequest> Requests(const std::string& expert, const std::string& policy) {
  std::vector<v1::CompleteRequest> requests;
  for (const char* question : kQuestions) {
    v1::CompleteRequest& request = requests.emplace_back();
    v1::Message* message = request.add_messages();
    message->set_role(v1::ROLE_USER);
    message->add_parts()->set_text(question);
    request.mutable_sampling()->set_max_tokens(128);
    if (!expert.empty()) request.mutable_routing()->set_expert(expert);
    if (!policy.empty()) request.mutable_routing()->set_policy(policy);
  }
  return requests;
}

}  // namespace pointsman::bench
