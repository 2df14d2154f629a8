#include "router/classifier/linear.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "router/classifier/artifact.h"
#include "router/classifier/features.h"

namespace pointsman::classifier {
namespace {

// Bytes whose neighbours on both sides cannot be read: one byte too far ends the test.
class Fenced {
 public:
  Fenced(std::string_view bytes, bool at_the_end) : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    const std::size_t inside = (bytes.size() + page_ - 1) / page_ * page_;
    size_ = inside + 2 * page_;
    start_ = static_cast<char*>(mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(start_, MAP_FAILED);
    EXPECT_EQ(mprotect(start_ + page_, inside, PROT_READ | PROT_WRITE), 0);
    char* const begin = start_ + page_ + (at_the_end ? inside - bytes.size() : 0);
    std::memcpy(begin, bytes.data(), bytes.size());
    table_ = Table({begin, bytes.size()}, nullptr);
  }
  ~Fenced() { munmap(start_, size_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  const Table& table() const { return table_; }

 private:
  std::size_t page_, size_ = 0;
  char* start_ = nullptr;
  Table table_;
};

v1::LinearClassifier Random(std::size_t categories) {
  std::mt19937 random(static_cast<unsigned>(categories));
  v1::LinearClassifier model;
  model.set_bucket_bits(8);
  model.set_groups(kGroups);
  model.set_max_bytes(8000);
  model.set_idf_scale(0.001F);
  model.set_temperature(1);
  const std::size_t rows = static_cast<std::size_t>(kGroups) << 8;
  for (std::size_t i = 0; i < rows; ++i) model.mutable_idf()->push_back(static_cast<char>(random()));
  for (std::size_t i = 0; i < rows * categories; ++i) model.mutable_weights()->push_back(static_cast<char>(random()));
  for (std::size_t c = 0; c < categories; ++c) {
    model.add_categories("c" + std::to_string(c));
    model.add_scales(0.01F);
    model.add_bias(static_cast<float>(c % 5));
  }
  return model;
}

// Words enough that every bucket is read, the first and the last one too; in digits of 26.
std::string ManyWords() {
  std::string text;
  for (std::size_t word = 0; text.size() < 7'900; ++word) {
    text += static_cast<char>('a' + word % 26);
    text += static_cast<char>('a' + word / 26 % 26);
    text += static_cast<char>('a' + word / 676);
    text += ' ';
  }
  return text;
}

TEST(LinearModel, SumsEveryNumberOfCategoriesAndReadsNothingBesideItsTables) {
  const std::string text = ManyWords();
  for (const std::size_t categories : {2, 3, 7, 8, 9, 15, 16, 17, 22, 24, 31, 32, 33, 39, 40, 41, 70, 255, 256}) {
    const v1::LinearClassifier model = Random(categories);
    ASSERT_EQ(Flaw(model), "");
    std::vector<double> sums(categories);
    double occurrences = 0;
    std::size_t lowest = ~0ULL, highest = 0;
    StreamFeatures(text, model.max_bytes(), [&](const Feature& feature) {
      const std::size_t row = feature.Row(model.bucket_bits());
      lowest = std::min(lowest, row);
      highest = std::max(highest, row);
      ++occurrences;
      for (std::size_t c = 0; c < categories; ++c) {
        sums[c] += static_cast<std::uint8_t>(model.idf()[row]) *
                   static_cast<std::int8_t>(model.weights()[row * categories + c]);
      }
    });
    ASSERT_EQ(lowest, 0U);
    ASSERT_EQ(highest, model.idf().size() - 1);
    for (const bool at_the_end : {false, true}) {
      const Fenced idf(model.idf(), at_the_end), weights(model.weights(), at_the_end);
      const policies::Evidence logits = LinearModel(model, idf.table(), weights.table(), "", std::nullopt).Logits(text);
      ASSERT_EQ(logits.probabilities.size(), categories);
      for (std::size_t c = 0; c < categories; ++c) {
        const double expected = sums[c] / std::sqrt(occurrences) * 1e-5 + static_cast<double>(c % 5);
        EXPECT_NEAR(logits.probabilities[c], expected, 1e-5) << categories << " categories, " << c;
      }
    }
  }
}

TEST(LinearModel, OfTablesThatLieElsewhereSaysTheSameBitsAsItsCopy) {
  const v1::LinearClassifier model = Random(22);
  v1::LinearClassifier without = model;
  without.clear_idf();
  without.clear_weights();
  const LinearModel elsewhere(without, Table(model.idf(), nullptr), Table(model.weights(), nullptr), "", std::nullopt);
  const LinearModel copy(model, "", std::nullopt);
  for (const std::string& text : {std::string("A rope and an egg"), ManyWords(), std::string()}) {
    EXPECT_EQ(elsewhere.Classify(text).probabilities, copy.Classify(text).probabilities);
    EXPECT_EQ(elsewhere.Explain(text, 21, 5), copy.Explain(text, 21, 5));
  }
}

}  // namespace
}  // namespace pointsman::classifier
