#include "config/check.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "config/checksum.h"
#include "config/gguf.h"

namespace pointsman::config {
namespace {

// What is wrong with a file that will be read; "" when nothing is.
std::string FileFlaw(const std::filesystem::path& file, std::string_view must_hold) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return file.string() + " does not exist";
  if (std::filesystem::is_directory(status)) return file.string() + " is a folder";
  std::ifstream in(file, std::ios::binary);
  if (!in) return file.string() + " cannot be opened: " + std::strerror(errno);
  if (must_hold.empty()) return "";
  std::string begin(std::size_t{1} << 20, '\0');
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(in.gcount()));
  return begin.find(must_hold) == std::string::npos
             ? file.string() + " has no line with " + std::string(must_hold) + " (it must be a PEM file)"
             : "";
}

}  // namespace

std::vector<Problem> Check(const Config& config, const CheckOptions& options) {
  std::vector<Problem> problems;
  auto add = [&](const std::string& path, std::string flaw) {
    if (!flaw.empty()) problems.push_back(config.ProblemAt(path, std::move(flaw)));
  };
  for (const Model& model : config.engine.models) {
    const std::string path = "engine.models." + model.name;
    if (auto checked = CheckModelFile(model.file); !checked) {
      add(path + ".file", checked.error().message);
    } else if (options.checksums && !model.sha256.empty()) {
      auto sum = Sha256OfFile(model.file);
      if (!sum) {
        add(path + ".file", sum.error().message);
      } else if (*sum != model.sha256) {
        add(path + ".sha256",
            model.file.string() + " has the SHA-256 sum " + *sum + " (get it again, or correct sha256)");
      }
    }
  }
  if (config.server.tls) {
    add("server.tls.certificate", FileFlaw(config.server.tls->certificate, "BEGIN CERTIFICATE"));
    add("server.tls.key", FileFlaw(config.server.tls->key, "PRIVATE KEY"));
  }
  if (!config.classifier.artifact.empty()) add("classifier.artifact", FileFlaw(config.classifier.artifact, ""));
  if (config.classifier.encoder) add("classifier.encoder.head", FileFlaw(config.classifier.encoder->head, ""));
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.place < b.place; });
  return problems;
}

}  // namespace pointsman::config
