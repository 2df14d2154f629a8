#include "router/offline/evaluate_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/router/offline/map_rows.h"
#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;

class EvaluatePoliciesTest : public ::testing::Test {
 protected:
  EvaluatePoliciesTest() {
    const MapRows rows(900);
    options_.train = options_.test = dir_.Write("rows.csv", rows.outcomes);
    options_.experts = dir_.Write("experts.json", kMapExperts);
    options_.train_range = HashRange{0, 60};
    options_.test_range = HashRange{60, 100};
    options_.budgets = {10, 40, 90};
    questions_ = dir_.Write("questions.jsonl", rows.questions);
  }
  std::string Error() {
    const auto evaluation = EvaluatePolicies(options_);
    return evaluation.ok() ? "" : evaluation.error().message;
  }
  static const AtBudget* Best(const PolicyEvaluation& e, std::size_t budget, Family family) {
    const auto& best = e.budgets[budget].best[static_cast<std::size_t>(family)];
    return best ? &*best : nullptr;
  }

  pointsman::testing::TempDir dir_;
  EvaluatePoliciesOptions options_;
  std::filesystem::path questions_;
};

TEST_F(EvaluatePoliciesTest, TheMapBeatsSinglesAtEqualCost) {
  const auto e = EvaluatePolicies(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  EXPECT_TRUE(e->gold);
  EXPECT_EQ(e->n, 360U);
  ASSERT_EQ(e->budgets.size(), 3U);
  for (std::size_t b = 0; b < 3; ++b) {
    const AtBudget* map = Best(*e, b, Family::kMap);
    ASSERT_NE(map, nullptr);
    EXPECT_LE(e->policies[map->policy].train_active, e->budgets[b].budget + 1e-9);
    EXPECT_EQ(map->over_map, 0);
  }
  // 7 and 8 B experts have two of the topics, the big one is the best for the third.
  EXPECT_GT(Best(*e, 1, Family::kMap)->over_single_interval.low, 0.1);
  EXPECT_EQ(e->policies[Best(*e, 0, Family::kSingle)->policy].asked, 1);
  EXPECT_NEAR(e->random_active, 85.0 / 3, 2);
  EXPECT_GT(e->oracle, e->random);
}

TEST_F(EvaluatePoliciesTest, ExpertsThatAgreeAreKeptAndOthersGoOn) {
  const auto e = EvaluatePolicies(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  EXPECT_EQ(Best(*e, 0, Family::kCascade), nullptr);  // two cheap experts cost 15 B already
  const AtBudget* cascade = Best(*e, 2, Family::kCascade);
  ASSERT_NE(cascade, nullptr);
  const PolicyFigures& f = e->policies[cascade->policy];
  EXPECT_THAT(f.name, HasSubstr("2 of"));
  EXPECT_THAT(f.name, HasSubstr("agree, else big"));
  EXPECT_GT(f.asked, 2);
  EXPECT_LT(f.asked, 3);
  // Wherever the cheap experts agree on A they are right; else they disagree, and 70 B more are asked.
  EXPECT_NEAR(f.active, 15 + 70 * (f.asked - 2), 1e-6);
}

TEST_F(EvaluatePoliciesTest, SetsAskMoreThanOneAndHoldTheBestAnswerMoreOften) {
  const auto e = EvaluatePolicies(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  const auto set = std::find_if(e->policies.begin(), e->policies.end(), [](const PolicyFigures& f) {
    return f.family == Family::kTopK && f.name.starts_with("top-3 of map,");
  });
  ASSERT_NE(set, e->policies.end());
  EXPECT_NEAR(set->asked, 3, 1e-9);
  EXPECT_NEAR(set->active, 85, 1e-9);
  EXPECT_NEAR(set->best_of_set, e->oracle, 1e-9);
}

TEST_F(EvaluatePoliciesTest, NullExpertsLeaveOthersUnasked) {
  options_.null_scores = {-1, 0.55, 2};
  const auto e = EvaluatePolicies(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  const auto find = [&](std::string_view start) -> const PolicyFigures& {
    const auto found = std::find_if(e->policies.begin(), e->policies.end(), [&](const PolicyFigures& f) {
      return f.name.starts_with(start) && f.name.find("all values less 0 points") != std::string::npos;
    });
    EXPECT_NE(found, e->policies.end()) << start;
    return *found;
  };
  const PolicyFigures& none = find("nobody at -1, ");
  EXPECT_EQ(none.family, Family::kNull);
  EXPECT_NEAR(none.asked, 3, 1e-9);
  EXPECT_NEAR(none.accuracy, find("top-3 of ").accuracy, 1e-12);
  // Above all values one expert is left: the map's choice.
  const PolicyFigures& all = find("nobody at 2, ");
  EXPECT_NEAR(all.asked, 1, 1e-9);
  EXPECT_NEAR(all.accuracy, find("all values less 0 points").accuracy, 1e-12);
  // The big one (0.7) and, where it is not poetry or algebra alone, no second one is worth 0.55.
  EXPECT_GT(find("nobody at 0.55, ").asked, 1);
  EXPECT_LT(find("nobody at 0.55, ").asked, 2);
}

TEST_F(EvaluatePoliciesTest, TextsAreClassifiedAndTheSetsOfCategoriesMeasured) {
  options_.questions = questions_;
  const auto e = EvaluatePolicies(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  EXPECT_GT(*e->category_accuracy, 0.95);
  ASSERT_TRUE(e->top_p.has_value());
  EXPECT_NEAR(e->top_p->fixed[0], *e->category_accuracy, 1e-9);
  options_.top_p_only = true;
  options_.experts.clear();
  const auto only = EvaluatePolicies(options_);
  ASSERT_TRUE(only.ok()) << only.error().message;
  EXPECT_TRUE(only->policies.empty());
  EXPECT_EQ(only->top_p->fixed, e->top_p->fixed);
}

TEST_F(EvaluatePoliciesTest, BadInputSaysTheMend) {
  options_.budgets = {5};
  EXPECT_THAT(Error(), HasSubstr("below the cheapest expert (7 B)"));
  options_.budgets.clear();
  options_.experts.clear();
  EXPECT_THAT(Error(), HasSubstr("name --experts with active_billion"));
  options_.top_p_only = true;
  EXPECT_THAT(Error(), HasSubstr("--top-p needs texts of more than one category"));
  options_.top_p.mean_experts = 4;
  EXPECT_THAT(Error(), HasSubstr("--mean-experts 4 is not from 1 to --most"));
  options_.top_p.masses = {1.5};
  EXPECT_THAT(Error(), HasSubstr("--mass 1.5 is not in (0, 1]"));
}

TEST_F(EvaluatePoliciesTest, RowsWithoutAnswersCannotVote) {
  options_.test_range = options_.train_range = std::nullopt;
  options_.train = dir_.Write(
      "scores.jsonl", "{\"id\": \"1\", \"category\": \"a\", \"scores\": {\"big\": 1, \"maths\": 0, \"poet\": 1}}\n");
  EXPECT_THAT(Error(), HasSubstr("scores.jsonl:1: no answers"));
}

TEST_F(EvaluatePoliciesTest, SolutionsWithoutCategoriesHaveOneMapAndACascade) {
  std::string rows;
  for (int i = 0; i < 400; ++i) {
    char line[400];
    const int right = 100 + i, maths = i % 2 == 0 ? right : 7, poet = i % 2 == 0 ? right : 8;
    std::snprintf(line, sizeof line,
                  R"({"id": "%d", "h": "%08x00", "prompt": "Add 100 to %d.", "models": {)"
                  R"("big": {"solution": "A: %d", "correct": 1}, "maths": {"solution": "A: %d", "correct": %d}, )"
                  R"("poet": {"solution": "A: %d", "correct": %d}}})"
                  "\n",
                  i, i, i, right, maths, i % 2 == 0, poet, i % 2 == 0);
    rows += line;
  }
  options_.train = options_.test = dir_.Write("rows.jsonl", rows);
  const auto e = EvaluatePolicies(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  EXPECT_TRUE(e->gold);
  // One category: the map is the best expert under the budget.
  EXPECT_EQ(e->policies[Best(*e, 0, Family::kMap)->policy].active, 7);
  EXPECT_EQ(Best(*e, 2, Family::kMap)->over_single, 0);
  // The two agree where they are right, in half of the rows; the big one gets the others.
  const AtBudget* cascade = Best(*e, 2, Family::kCascade);
  ASSERT_NE(cascade, nullptr);
  EXPECT_EQ(e->policies[cascade->policy].accuracy, 1);
  EXPECT_EQ(e->policies[cascade->policy].active, 15 + 70 / 2.0);
  options_.top_p_only = true;
  EXPECT_THAT(Error(), HasSubstr("--top-p needs texts of more than one category"));
}

TEST_F(EvaluatePoliciesTest, JsonAndPageHaveTheFigures) {
  const auto e = EvaluatePolicies(options_);
  ASSERT_TRUE(e.ok()) << e.error().message;
  const auto json = boost::json::parse(PoliciesJson(*e));
  EXPECT_EQ(json.at("n").as_int64(), 360);
  ASSERT_EQ(json.at("budgets").as_array().size(), 3U);
  const auto& best = json.at("budgets").at(2).at("best");
  for (const char* family : {"single", "map", "top_k", "top_p", "cascade", "map_cascade"}) {
    EXPECT_TRUE(best.at(family).at("accuracy").is_double()) << family;
    EXPECT_TRUE(best.at(family).at("over_map_ci95").is_array()) << family;
  }
  EXPECT_TRUE(json.at("budgets").at(0).at("best").at("cascade").is_null());
  EXPECT_THAT(PoliciesPage(*e), HasSubstr("<svg"));
  EXPECT_THAT(PoliciesText(*e), HasSubstr("budget 40.0 B"));
}

}  // namespace
}  // namespace pointsman::offline
