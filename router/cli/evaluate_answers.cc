// router/cli/evaluate_answers.cc: `pointsman evaluate answers`: asks an expert every question of a file.
#include <grpcpp/grpcpp.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "pointsman/v1/pointsman.grpc.pb.h"
#include "policies/gate/cascade_gate.h"
#include "router/cli/evaluate.h"
#include "router/cli/progress_bar.h"
#include "router/offline/answer_row.h"
#include "router/offline/table.h"

namespace pointsman::cli {
namespace {

constexpr const char kExample[] =
    "Example:\n"
    "  pointsman evaluate answers --rows questions.jsonl --expert small --out answers.jsonl --samples 5\n"
    "asks the server that runs, with the tokens' dispersions where the expert has them, and writes each row with the\n"
    "answer, the tokens, the answers of 5 more samples and, where `answer` is the right one, small_correct: what\n"
    "`pointsman train cascade` and `pointsman evaluate cascade` read. docs/policies/cascade.md describes the fields.";

constexpr int kMaxMessageBytes = 20 << 20;

struct Flags {
  std::string rows, out, server = "127.0.0.1:50051";
  offline::AnswerRowOptions row{"", "prompt", "answer"};
  unsigned max_tokens = 256, samples = 0, top = 10;
  std::size_t limit = 0;
  double temperature = 0.7, timeout_seconds = 120;
};

class Asker {
 public:
  explicit Asker(const Flags& flags) : flags_(flags) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
    stub_ =
        v1::Pointsman::NewStub(grpc::CreateCustomChannel(flags.server, grpc::InsecureChannelCredentials(), arguments));
  }

  // Sample 0 is greedy and has the log-probabilities; the others are drawn with seeds of their own.
  Result<v1::CompleteResponse> Ask(const std::string& question, unsigned sample) {
    v1::CompleteRequest request;
    v1::Message* user = request.add_messages();
    user->set_role(v1::ROLE_USER);
    user->add_parts()->set_text(question);
    v1::Sampling& sampling = *request.mutable_sampling();
    sampling.set_temperature(sample == 0 ? 0 : flags_.temperature);
    sampling.set_max_tokens(flags_.max_tokens);
    // Of the question as well: samples of one seed would share their luck over all questions.
    sampling.set_seed(static_cast<std::uint64_t>(gate::DrawOf(question + "#" + std::to_string(sample)) * 0x1p53));
    request.set_logprobs(sample == 0);
    if (sample == 0) request.set_top_logprobs(flags_.top);
    v1::Routing& routing = *request.mutable_routing();
    routing.set_expert(flags_.row.expert);
    routing.mutable_cache()->set_no_cache(true);
    routing.mutable_cache()->set_no_store(true);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::milliseconds(static_cast<std::int64_t>(flags_.timeout_seconds * 1000)));
    if (const char* key = std::getenv("POINTSMAN_KEY"))
      context.AddMetadata("authorization", std::string("Bearer ") + key);
    v1::CompleteResponse response;
    const grpc::Status status = stub_->Complete(&context, request, &response);
    if (!status.ok()) {
      return Unavailable(flags_.server + ": " + status.error_message() +
                         (status.error_code() == grpc::StatusCode::UNAVAILABLE ? " (is a server running there?)" : ""));
    }
    return response;
  }

 private:
  const Flags& flags_;
  std::unique_ptr<v1::Pointsman::Stub> stub_;
};

Result<void> Collect(const Flags& flags) {
  std::ofstream out(flags.out, std::ios::binary);
  if (!out) return InvalidArgument("out", flags.out + ": the file cannot be written");
  Asker asker(flags);
  ProgressBar bar;
  std::size_t done = 0;
  const auto visit = [&](const offline::TableRow& row) -> Result<void> {
    if (flags.limit > 0 && done >= flags.limit) return {};
    auto question = row.Text(flags.row.text_field);
    if (!question) return std::move(question).error();
    offline::GivenAnswer answer;
    for (unsigned sample = 0; sample <= flags.samples; ++sample) {
      auto response = asker.Ask(*question, sample);
      if (!response) return std::move(response).error();
      if (sample == 0) {
        answer.response = *std::move(response);
        continue;
      }
      std::string& text = answer.sampled_texts.emplace_back();
      for (const v1::Part& part : response->message().parts()) text += part.text();
    }
    out << boost::json::serialize(offline::AnswerRow(row.fields, answer, flags.row)) << "\n";
    ++done;
    if (flags.limit > 0) bar.Show("asking", static_cast<double>(done) / static_cast<double>(flags.limit));
    return {};
  };
  auto visited = offline::VisitTable(flags.rows, {}, visit);
  bar.Clear();
  if (!visited) return visited;
  out.close();
  if (!out) return InvalidArgument("out", flags.out + ": the file could not be written whole");
  std::fprintf(stderr, "%zu rows in %s\n", done, flags.out.c_str());
  return {};
}

}  // namespace

void RegisterEvaluateAnswers(CLI::App& group, int& exit_code) {
  CLI::App* command =
      group.add_subcommand("answers", "ask an expert every question of a file: rows for a cascade's gate");
  command->footer(kExample);
  const auto flags = std::make_shared<Flags>();
  command->add_option("--rows", flags->rows, "questions: JSON lines or CSV, plain or gzip")
      ->required()
      ->check(CLI::ExistingFile);
  command->add_option("--expert", flags->row.expert, "who answers, by the name that the server's configuration has")
      ->required();
  command->add_option("--out", flags->out, "the rows to write, JSON lines")->required();
  command->add_option("--server", flags->server, "address of the server")
      ->envname("POINTSMAN_SERVER")
      ->capture_default_str();
  command->add_option("--text", flags->row.text_field, "field with the question")->capture_default_str();
  command->add_option("--gold", flags->row.gold_field, "field with the right answer, where it is known")
      ->capture_default_str();
  command->add_option("--max-tokens", flags->max_tokens, "tokens of an answer at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->add_option("--top", flags->top, "most probable tokens to ask for at each place")
      ->capture_default_str()
      ->check(CLI::Range(0, 20));
  command->add_option("--samples", flags->samples, "further answers to draw of each question")
      ->capture_default_str()
      ->check(CLI::Range(0, 100));
  command->add_option("--temperature", flags->temperature, "of those")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 2.0));
  command->add_option("--limit", flags->limit, "so many rows at most; default: all");
  command->add_option("--timeout", flags->timeout_seconds, "seconds for one answer")->capture_default_str();
  command->callback([flags, &exit_code] {
    if (const auto collected = Collect(*flags); !collected) {
      std::fprintf(stderr, "pointsman evaluate answers: %s\n", collected.error().message.c_str());
      exit_code = 1;
    }
  });
}

}  // namespace pointsman::cli
