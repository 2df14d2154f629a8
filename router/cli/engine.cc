#include "router/cli/engine.h"

#include <cstdio>

#ifdef POINTSMAN_LOCAL_ENGINE

#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <memory>
#include <sstream>

#include "backends/engine/llama/bench.h"
#include "backends/engine/llama/convert_encoder.h"
#include "backends/engine/llama/quantize.h"
#include "backends/engine/llama/worker.h"
#include "backends/engine/worker_config.h"

namespace pointsman::cli {
namespace {

int Fail(const std::string& message) {
  std::fprintf(stderr, "pointsman engine: %s\n", message.c_str());
  return 1;
}

struct WorkerArguments {
  std::string socket, config;
  std::vector<std::string> models;
  unsigned prompt_chunk = 128;
  int parent = 0, ready_fd = -1;
};

Result<config::Engine> ReadEngine(const WorkerArguments& arguments) {
  if (!arguments.config.empty()) {
    std::ifstream in(arguments.config);
    if (!in) return Unavailable("cannot read " + arguments.config);
    std::stringstream text;
    text << in.rdbuf();
    return engine::EngineFromJson(text.str());
  }
  config::Engine engine;
  engine.prompt_chunk = arguments.prompt_chunk;
  for (const std::string& argument : arguments.models) {
    Result<config::Model> model = engine::ModelFromArgument(argument);
    if (!model) return std::move(model).error();
    engine.models.push_back(std::move(*model));
  }
  return engine;
}

int Serve(const WorkerArguments& arguments) {
  if (arguments.socket.empty()) return Fail("--socket is required (see --help)");
  Result<config::Engine> engine = ReadEngine(arguments);
  if (!engine) return Fail(engine.error().message);
  engine::WorkerOptions options;
  options.socket = arguments.socket;
  options.engine = std::move(*engine);
  options.parent = arguments.parent;
  options.ready_fd = arguments.ready_fd;
  return engine::RunWorker(options);
}

int Requantize(const std::string& in, const std::string& out) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto progress = [&](std::uintmax_t bytes) {
    if (terminal) std::fprintf(stderr, "\r%s: %ju MiB", out.c_str(), bytes >> 20);
  };
  const Result<void> done = engine::Requantize(in, out, progress);
  if (terminal) std::fprintf(stderr, "\r\033[K");
  if (!done) return Fail(done.error().message);
  std::printf("%s\n", out.c_str());
  return 0;
}

struct ConvertArguments {
  std::string folder, out, name = "encoder", type = "f16";
};

int ConvertEncoder(const ConvertArguments& arguments) {
  const auto type = arguments.type == "f16" ? engine::EncoderType::kF16 : engine::EncoderType::kQ8;
  const Result<void> done = engine::ConvertEncoder(arguments.folder, arguments.out, arguments.name, type);
  if (!done) return Fail(done.error().message);
  std::printf("%s\n", arguments.out.c_str());
  return 0;
}

int Bench(const engine::BenchOptions& options, bool json) {
  const auto print = [&](const engine::BenchLine& line) {
    if (!json)
      std::printf("%-6s %u at once: %8.1f tokens/s\n", line.what.c_str(), line.sequences, line.tokens_per_second);
    std::fflush(stdout);
  };
  const Result<std::vector<engine::BenchLine>> lines = engine::RunBench(options, print);
  if (!lines) return Fail(lines.error().message);
  if (json) {
    boost::json::object found{{"prompt_tokens", options.prompt}, {"decode_tokens", options.decode}};
    for (const engine::BenchLine& line : *lines) {
      std::string name = line.what + "_tokens_per_second";  // of one sequence; more are counted in the name
      if (line.sequences != 1) name += "_of_" + std::to_string(line.sequences);
      found.emplace(name, line.tokens_per_second);
    }
    std::printf("%s\n", boost::json::serialize(found).c_str());
  }
  return 0;
}

void AddBench(CLI::App& engine, int& exit_code) {
  CLI::App* bench = engine.add_subcommand("bench", "Measure prompt and decode speed through the engine's own path");
  bench->footer("Example:\n  pointsman engine bench model-q8_0.gguf --threads 2 --json");
  auto options = std::make_shared<engine::BenchOptions>();
  auto json = std::make_shared<bool>(false);
  bench->add_option("FILE", options->file, "GGUF file")->required();
  bench->add_option("--threads", options->threads, "Compute threads; 0 = all cores")->capture_default_str();
  bench->add_option("--prompt-chunk", options->prompt_chunk, "Prompt tokens a step at most")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  bench->add_option("--prompt", options->prompt, "Prompt tokens")->check(CLI::Range(1, 4096))->capture_default_str();
  bench->add_option("--decode", options->decode, "Tokens to generate a sequence")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  bench->add_option("--repeats", options->repeats, "Measurements of each; the best counts")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  bench->add_flag("--json", *json, "One JSON array instead of lines");
  bench->callback([options, json, &exit_code] { exit_code = Bench(*options, *json); });
}

void AddConvertEncoder(CLI::App& engine, int& exit_code) {
  CLI::App* convert = engine.add_subcommand("convert-encoder", "Make a GGUF file of a BERT sentence encoder");
  convert->footer(
      "Example:\n  pointsman engine convert-encoder all-MiniLM-L6-v2 minilm-f16.gguf --name all-MiniLM-L6-v2\n"
      "where the folder has config.json, model.safetensors and vocab.txt.");
  auto arguments = std::make_shared<ConvertArguments>();
  convert->add_option("FOLDER", arguments->folder, "the encoder, as sentence-transformers publishes it")->required();
  convert->add_option("OUT", arguments->out, "GGUF file to write")->required();
  convert->add_option("--name", arguments->name, "the model's name, written into the file")->capture_default_str();
  convert->add_option("--type", arguments->type, "number format of the matrices")
      ->check(CLI::IsMember({"f16", "q8_0"}))
      ->capture_default_str();
  convert->callback([arguments, &exit_code] { exit_code = ConvertEncoder(*arguments); });
}

}  // namespace

void RegisterEngine(CLI::App& app, int& exit_code) {
  CLI::App* engine =
      app.add_subcommand("engine", "The worker process of the local engine; the router starts it itself");
  engine->footer(
      "Example:\n  pointsman engine --socket /tmp/engine.sock --model "
      "name=small,file=small-q8_0.gguf,context=2048,slots=4");
  auto arguments = std::make_shared<WorkerArguments>();
  engine->add_option("--socket", arguments->socket, "Unix socket to serve on");
  engine->add_option("--config", arguments->config, "JSON file with the models, as the router writes it");
  engine->add_option(
      "--model", arguments->models,
      "name=N[,kind=encoder],file=F[,context=TOKENS][,slots=N][,threads=N][,queue=N][,sha256=HEX]; may be repeated");
  engine->add_option("--prompt-chunk", arguments->prompt_chunk, "Prompt tokens a step at most")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  engine->add_option("--parent", arguments->parent, "Process id of the router, to die with")->group("");
  engine->add_option("--ready-fd", arguments->ready_fd, "Gets one byte when the socket is served")->group("");

  CLI::App* requantize = engine->add_subcommand("requantize", "Write a GGUF file as Q8_0");
  requantize->footer("Example:\n  pointsman engine requantize model-q4_1.gguf model-q8_0.gguf");
  auto files = std::make_shared<std::pair<std::string, std::string>>();
  requantize->add_option("IN", files->first, "GGUF file to read")->required();
  requantize->add_option("OUT", files->second, "GGUF file to write")->required();
  requantize->callback([files, &exit_code] { exit_code = Requantize(files->first, files->second); });

  AddConvertEncoder(*engine, exit_code);
  AddBench(*engine, exit_code);
  engine->callback([arguments, engine, &exit_code] {
    if (engine->get_subcommands().empty()) exit_code = Serve(*arguments);
  });
}

}  // namespace pointsman::cli

#else

namespace pointsman::cli {

void RegisterEngine(CLI::App& app, int& exit_code) {
  CLI::App* engine = app.add_subcommand("engine", "The local engine (not part of this build)");
  engine->allow_extras();
  engine->callback([&exit_code] {
    std::fprintf(stderr, "pointsman engine: this build has no local engine; build with -DPOINTSMAN_LOCAL_ENGINE=ON\n");
    exit_code = 1;
  });
}

}  // namespace pointsman::cli

#endif
