#include "router/offline/train_category.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "router/classifier/artifact.h"
#include "router/offline/add_rows.h"
#include "router/offline/fit_classifier.h"
#include "router/offline/format.h"
#include "router/offline/write_classifier.h"
#include "router/version.h"

namespace pointsman::offline {
namespace {

constexpr std::size_t kFolds = 4;

// The rows as the artifact will know them.
struct Labelled {
  std::vector<Example> examples;
  std::vector<std::string> names;  // that the artifact lacks
};

Labelled Label(const Rows& rows, const v1::Artifact& artifact, const std::string& label) {
  Labelled result;
  std::vector<std::string> categories(artifact.classifier().categories().begin(),
                                      artifact.classifier().categories().end());
  std::vector<std::uint32_t> index;  // of rows.labels
  for (const std::string& own : rows.labels) {
    const std::string& name = label.empty() ? own : label;
    const auto found = std::find(categories.begin(), categories.end(), name);
    index.push_back(static_cast<std::uint32_t>(found - categories.begin()));
    if (found != categories.end()) continue;
    result.names.push_back(name);
    categories.push_back(name);
  }
  for (const Row& row : rows.rows) result.examples.push_back({row.text, index[row.label]});
  return result;
}

// Each row's likeliest category by an artifact to which its fold was not added. A fold takes every kFolds-th row of
// each category, so that each category keeps rows.
std::vector<std::size_t> CrossValidate(const Labelled& rows, std::span<const RehearsalText> old,
                                       const v1::Artifact& artifact, const std::function<void(double)>& progress) {
  std::vector<std::size_t> fold, seen(classifier::kMaxCategories);
  for (const Example& example : rows.examples) fold.push_back(seen[example.label]++ % kFolds);
  std::vector<std::size_t> likeliest(rows.examples.size());
  for (std::size_t f = 0; f < kFolds; ++f) {
    progress(static_cast<double>(f) / (kFolds + 1));
    std::vector<Example> others;
    for (std::size_t i = 0; i < fold.size(); ++i) {
      if (fold[i] != f) others.push_back(rows.examples[i]);
    }
    v1::Artifact extended = artifact;
    AddRows(others, rows.names, old, extended);
    const auto classifier = Served(extended);
    for (std::size_t i = 0; i < fold.size(); ++i) {
      if (fold[i] == f) likeliest[i] = classifier->Classify(rows.examples[i].text).likeliest;
    }
  }
  progress(static_cast<double>(kFolds) / (kFolds + 1));
  return likeliest;
}

void CountAdded(const Labelled& rows, const v1::Artifact& artifact, const std::vector<std::size_t>& likeliest,
                TrainCategoryReport& report) {
  std::vector<std::string> names(artifact.classifier().categories().begin(), artifact.classifier().categories().end());
  const std::size_t known = names.size();
  names.insert(names.end(), rows.names.begin(), rows.names.end());
  std::map<std::uint32_t, AddedCategory> added;
  for (std::size_t i = 0; i < rows.examples.size(); ++i) {
    const std::uint32_t label = rows.examples[i].label;
    AddedCategory& category = added[label];
    ++category.rows;
    category.found += likeliest[i] == label ? 1 : 0;
  }
  for (auto& [label, category] : added) {
    category.name = names[label];
    category.fresh = label >= known;
    category.before = static_cast<std::size_t>(std::count(artifact.neighbours().labels().begin(),
                                                          artifact.neighbours().labels().end(),
                                                          static_cast<char>(static_cast<std::uint8_t>(label))));
    report.added.push_back(category);
  }
  std::sort(report.added.begin(), report.added.end(),
            [](const AddedCategory& a, const AddedCategory& b) { return a.name < b.name; });
}

void Describe(const TrainCategoryOptions& options, const TrainCategoryReport& report, v1::Artifact& artifact) {
  artifact.set_created_by(std::string("pointsman ") + kVersion);
  const std::string licence = options.licence.empty() ? "NOASSERTION" : options.licence;
  v1::Source* source = nullptr;
  for (v1::Source& known : *artifact.mutable_sources()) {
    if (known.name() == options.source && known.licence() == licence) source = &known;
  }
  if (source == nullptr) {
    source = artifact.add_sources();
    source->set_name(options.source);
    source->set_licence(licence);
  }
  for (const AddedCategory& category : report.added) {
    const auto rows = static_cast<std::uint32_t>(category.rows);
    source->set_rows(source->rows() + rows);
    v1::Addition& addition = *artifact.add_additions();
    addition.set_category(category.name);
    addition.set_fresh(category.fresh);
    addition.set_rows(rows);
    addition.set_artifact(report.before);
  }
}

Result<void> Check(const TrainCategoryOptions& options, const classifier::ArtifactFile& file, const Labelled& rows) {
  const v1::Artifact& artifact = file.artifact;
  if (rows.examples.empty()) return InvalidArgument("rows", "there are no rows to add");
  const std::size_t after = static_cast<std::size_t>(artifact.classifier().categories_size()) + rows.names.size();
  if (after > classifier::kMaxCategories) {
    return InvalidArgument("rows", options.artifact.string() + " would have " + std::to_string(after) +
                                       " categories; at most 256 are served");
  }
  std::map<std::uint32_t, std::size_t> count;
  for (const Example& example : rows.examples) ++count[example.label];
  for (std::size_t n = 0; n < rows.names.size(); ++n) {
    if (count[static_cast<std::uint32_t>(after - rows.names.size() + n)] >= 2) continue;
    return InvalidArgument(
        "rows", "the new category \"" + rows.names[n] + "\" has one row; at least 2 are needed, 20 are a good start");
  }
  return {};
}

}  // namespace

Result<TrainCategoryReport> TrainCategory(const TrainCategoryOptions& options) {
  if (options.out.empty()) return InvalidArgument("out", "no output file (--out FILE)");
  if (options.label.empty() == options.rows.label_field.empty()) {
    return InvalidArgument("label",
                           "give either the rows' category (--label NAME) or a field with it (--label-field FIELD)");
  }
  const auto stage = [&](std::string_view name) {
    return [&options, name](double share) {
      if (options.progress) options.progress(name, share);
    };
  };
  auto file = classifier::ReadArtifact(options.artifact);
  if (!file) return std::move(file).error();
  if (!file->artifact.has_ensemble()) {
    return InvalidArgument("artifact", options.artifact.string() +
                                           ": it has no neighbours, which rows can be added to: train it anew with "
                                           "`pointsman train classifier` without --embedding none");
  }
  auto rows = ReadRows(options.rows, stage("reading rows"));
  if (!rows) return std::move(rows).error();
  const Labelled labelled = Label(*rows, file->artifact, options.label);
  if (auto checked = Check(options, *file, labelled); !checked) return checked.error();

  TrainCategoryReport report;
  report.duplicates = rows->duplicates;
  report.bad = rows->bad;
  report.bad_examples = rows->bad_examples;
  report.folds = kFolds;
  report.before = file->checksum;
  const std::vector<RehearsalText> old = RehearseFor(labelled.examples, file->artifact);
  const auto likeliest = CrossValidate(labelled, old, file->artifact, stage("cross-validating"));
  CountAdded(labelled, file->artifact, likeliest, report);
  v1::Artifact artifact = std::move(file->artifact);
  AddRows(labelled.examples, labelled.names, old, artifact);
  Describe(options, report, artifact);
  report.categories = static_cast<std::size_t>(artifact.classifier().categories_size());
  auto written = WriteClassifier(options.out, artifact);
  if (!written) return std::move(written).error();
  report.checksum = std::move(written->checksum);
  report.artifact_bytes = written->bytes;
  report.out = options.out;
  return report;
}

std::string ReportText(const TrainCategoryReport& r) {
  std::string text;
  for (const std::string& bad : r.bad_examples) text += "left out: " + bad + "\n";
  if (r.duplicates > 0) text += Format("%llu duplicates left out\n", static_cast<unsigned long long>(r.duplicates));
  text += Format("Found: added rows that are put in their category by an artifact without them (%u folds).\n", r.folds);
  text += "  category                    rows  before   found\n";
  for (const AddedCategory& c : r.added) {
    text += Format("  %-24s %7zu %7zu %7zu%s\n", c.name.c_str(), c.rows, c.before, c.found, c.fresh ? "  new" : "");
  }
  text += Format("%s: %zu categories, %llu bytes, sha256 %s\n", r.out.c_str(), r.categories,
                 static_cast<unsigned long long>(r.artifact_bytes), r.checksum.c_str());
  text += "Its calibration and thresholds are those of the training; rows that it has not seen measure it:\n";
  text += Format("  pointsman evaluate classifier --artifact %s --rows FILE\n", r.out.c_str());
  return text;
}

std::string ReportJson(const TrainCategoryReport& r) {
  namespace json = boost::json;
  json::array added, bad;
  for (const AddedCategory& c : r.added) {
    added.push_back(
        {{"category", c.name}, {"new", c.fresh}, {"rows", c.rows}, {"before", c.before}, {"found", c.found}});
  }
  for (const std::string& message : r.bad_examples) bad.push_back(json::value(message));
  const json::object report = {
      {"added", added},
      {"folds", r.folds},
      {"categories", r.categories},
      {"duplicates", r.duplicates},
      {"bad", r.bad},
      {"bad_examples", bad},
      {"before", r.before},
      {"artifact", {{"file", r.out.string()}, {"bytes", r.artifact_bytes}, {"sha256", r.checksum}}}};
  return json::serialize(report);
}

}  // namespace pointsman::offline
