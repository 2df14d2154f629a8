#include "router/cli/cascade_options.h"

#include "router/classifier/classifier.h"
#include "router/classifier/default_artifact.h"

namespace pointsman::cli {

void AddCascadeOptions(CLI::App& command, offline::CascadeRowOptions& rows, CascadeFlags& flags) {
  command.add_option("--weak", rows.weak, "name of the weak expert in the rows")->capture_default_str();
  command.add_option("--strong", rows.strong, "name of the strong expert")->capture_default_str();
  command
      .add_option("--signals", flags.signals,
                  "which field of the rows is read; default: the first of these that the first row has")
      ->check(CLI::IsMember({"answers", "probs", "tokens"}));
  command.add_option("--label", rows.label_field,
                     "field with the row's category; default: domain, task or category, when there is one");
  command.add_option("--classifier", flags.classifier,
                     "a classifier's artifact, or `default`: the categories are its probabilities for the row's text, "
                     "not the label");
  command.add_option("--text", rows.text_field,
                     "field with that text; default: prompt, question, instruction, text or turns");
}

Result<void> Apply(const CascadeFlags& flags, offline::CascadeRowOptions& rows) {
  rows.signals = offline::RowSignalsNamed(flags.signals);
  if (flags.classifier.empty()) return {};
  const std::filesystem::path file =
      flags.classifier == "default" ? classifier::DefaultArtifact() : std::filesystem::path(flags.classifier);
  auto loaded = classifier::Classifier::Load(file, std::nullopt);
  if (!loaded) return std::move(loaded).error();
  rows.classify = [classifier = *std::move(loaded)](std::string_view text) { return classifier->Classify(text); };
  return {};
}

}  // namespace pointsman::cli
