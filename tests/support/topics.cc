#include "tests/support/topics.h"

namespace pointsman::testing {

std::filesystem::path TopicRows() { return std::filesystem::path(POINTSMAN_SOURCE_DIR) / "tests/data/topics.jsonl"; }

offline::TrainOptions TopicOptions(const std::filesystem::path& out) {
  offline::TrainOptions options;
  options.rows.files = {TopicRows()};
  options.rows.label_field = "topic";
  options.rows.source_field = "from";
  options.fit.linear.bucket_bits = 10;
  options.fit.folds = 4;
  options.out = out;
  return options;
}

}  // namespace pointsman::testing
