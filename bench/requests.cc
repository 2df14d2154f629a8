#include "bench/requests.h"

namespace pointsman::bench {
namespace {

void AddMessage(v1::CompleteRequest& request, v1::Role role, const char* text) {
  v1::Message* message = request.add_messages();
  message->set_role(role);
  message->add_parts()->set_text(text);
}

}  // namespace

v1::CompleteRequest TypicalRequest() {
  v1::CompleteRequest request;
  AddMessage(
      request, v1::ROLE_USER,
      "Two trains leave the same junction in the same direction, the first at 9:40 with 72 km/h and the second at "
      "9:55 with 96 km/h. When does the second one catch up with the first?");
  AddMessage(
      request, v1::ROLE_ASSISTANT,
      "The first train is 15 minutes ahead, which is 18 km. The second one gains 24 km/h on it, so that it takes "
      "18 / 24 hours, or 45 minutes: it catches up at 10:40, 72 km from the junction.");
  AddMessage(request, v1::ROLE_USER,
             "Now let the second train stand at a signal for 5 minutes after its first 24 km. Write down the equation "
             "for the distance of each train from the junction, piece by piece, and solve it again. Then say how much "
             "later they meet, and check your answer by putting both distances at that time next to each other.");
  request.mutable_sampling()->set_temperature(0);
  request.mutable_sampling()->set_max_tokens(256);
  return request;
}

v1::CompleteResponse TypicalResponse() {
  v1::CompleteResponse response;
  response.set_id("6d3f0a6c2b7e4f19");
  response.mutable_message()->set_role(v1::ROLE_ASSISTANT);
  response.mutable_message()->add_parts()->set_text(
      "The second train reaches the signal at 10:10 and leaves at 10:15; it is then 24 km from the junction, the first "
      "one 42 km. It gains 24 km/h on a lead of 18 km: another 45 minutes. They meet at 11:00, 96 km out, 20 minutes "
      "later than before. Check: 72 km/h * 80 min = 96 km; 24 km + 96 km/h * 45 min = 96 km.");
  response.set_finish_reason(v1::FINISH_REASON_STOP);
  response.mutable_usage()->set_prompt_tokens(190);
  response.mutable_usage()->set_completion_tokens(96);
  response.set_expert("math");
  return response;
}

}  // namespace pointsman::bench
