#include "router/offline/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <random>

#include "tests/support/temp_dir.h"

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;

// The least objective over all ways to give each expert one host; -1 when none fits.
double Enumerate(const PlacementProblem& p) {
  std::vector<std::size_t> host(p.experts.size(), 0);
  double best = -1;
  while (true) {
    std::vector<double> memory(p.hosts.size(), 0), busy(p.hosts.size(), 0);
    for (std::size_t e = 0; e < host.size(); ++e) {
      memory[host[e]] += p.experts[e].memory_gb;
      busy[host[e]] += p.experts[e].rate * p.experts[e].seconds / p.hosts[host[e]].speed;
    }
    bool fits = true;
    for (std::size_t h = 0; h < memory.size(); ++h) fits &= memory[h] <= p.hosts[h].memory_gb;
    double value = *std::max_element(busy.begin(), busy.end());
    for (const HandOff& handoff : p.handoffs) {
      if (host[handoff.from] != host[handoff.to]) value += p.handoff_price * handoff.rate;
    }
    if (fits && (best < 0 || value < best)) best = value;
    std::size_t e = 0;
    while (e < host.size() && ++host[e] == p.hosts.size()) host[e++] = 0;
    if (e == host.size()) return best;
  }
}

double Objective(const PlacementProblem& p, const Placement& placement) {
  return placement.largest + p.handoff_price * placement.remote_handoffs;
}

TEST(Placement, MeetsFullEnumerationOnRandomInstances) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> unit(0, 1);
  int infeasible = 0;
  for (int i = 0; i < 150; ++i) {
    PlacementProblem p;
    const std::size_t hosts = 1 + random() % 3, experts = 1 + random() % 6;
    for (std::size_t h = 0; h < hosts; ++h)
      p.hosts.push_back({std::to_string(h), 20 + 60 * unit(random), 0.5 + unit(random)});
    for (std::size_t e = 0; e < experts; ++e) {
      p.experts.push_back({std::to_string(e), 5 + 35 * unit(random), unit(random), unit(random)});
    }
    for (std::size_t k = random() % 4; k > 0; --k)
      p.handoffs.push_back({random() % experts, random() % experts, unit(random)});
    p.handoff_price = random() % 2 ? 0.5 * unit(random) : 0;
    const double best = Enumerate(p);
    const auto placed = Place(p);
    ASSERT_EQ(placed.ok(), best >= 0) << "instance " << i << ": " << (placed.ok() ? "" : placed.error().message);
    if (!placed.ok()) {
      ++infeasible;
      continue;
    }
    EXPECT_NEAR(Objective(p, *placed), best, 1e-5) << "instance " << i;
    EXPECT_EQ(placed->gap, 0) << "instance " << i;
  }
  EXPECT_GT(infeasible, 5);
}

TEST(Placement, CopiesShareTheLoadWhereOneHostIsTooSlow) {
  PlacementProblem p;
  p.hosts = {{"a", 80, 1}, {"b", 80, 1}};
  p.experts = {{"busy", 30, 3, 0.5}, {"idle", 30, 0.1, 1}};
  EXPECT_NEAR(Place(p)->largest, 1.5, 1e-6);
  p.copies = 2;
  const auto placed = Place(p);
  EXPECT_NEAR(placed->largest, 0.8, 1e-6);
  EXPECT_NEAR(placed->share[0][0] + placed->share[0][1], 1, 1e-6);
  EXPECT_TRUE(placed->copy[0][0] && placed->copy[0][1]);
  EXPECT_NE(placed->copy[1][0], placed->copy[1][1]);  // a second copy would bring nothing
}

TEST(Placement, HandOffsKeepExpertsTogether) {
  PlacementProblem p;
  p.hosts = {{"a", 80, 1}, {"b", 80, 1}};
  p.experts = {{"weak", 20, 1, 0.3}, {"strong", 40, 0.3, 1}};
  p.handoffs = {{0, 1, 0.3}};
  EXPECT_NEAR(Place(p)->remote_handoffs, 0.3, 1e-9);
  p.handoff_price = 2;  // 0.6 for hand-offs, against 0.3 more on one host
  const auto placed = Place(p);
  EXPECT_EQ(placed->remote_handoffs, 0);
  EXPECT_NEAR(placed->largest, 0.6, 1e-6);
}

TEST(Placement, SaysWhyNothingFits) {
  PlacementProblem p;
  p.hosts = {{"a", 10, 1}, {"b", 20, 1}};
  p.experts = {{"large", 30, 1, 1}};
  EXPECT_THAT(Place(p).error().message, HasSubstr("expert large needs 30 GB, and the largest host, b, has 20 GB"));
  p.experts = {{"x", 16, 1, 1}, {"y", 16, 1, 1}};
  EXPECT_THAT(Place(p).error().message, HasSubstr("need 32 GB, and the hosts have 30 GB"));
  p.experts = {{"x", 15, 1, 1}, {"y", 15, 1, 1}};
  EXPECT_THAT(Place(p).error().message, HasSubstr("do not fit into the hosts"));
}

class PlacementFile : public ::testing::Test {
 protected:
  std::string Error(std::string_view text) {
    const auto problem = ReadPlacementFile(dir_.Write("cluster.json", text));
    return problem ? "" : problem.error().message;
  }
  pointsman::testing::TempDir dir_;
};

constexpr std::string_view kGood =
    R"({"hosts": [{"name": "gpu", "memory_gb": 80, "speed": 2}, {"name": "cpu", "memory_gb": 64}],
        "experts": [{"name": "small", "memory_gb": 16, "rate": 2, "seconds": 0.5}, {"name": "large", "memory_gb": 70}],
        "handoffs": [{"from": "small", "to": "large", "rate": 0.4}]})";

TEST_F(PlacementFile, IsReadAndReported) {
  const auto problem = ReadPlacementFile(dir_.Write("cluster.json", kGood));
  ASSERT_TRUE(problem.ok()) << problem.error().message;
  EXPECT_EQ(problem->hosts[0].speed, 2);
  EXPECT_EQ(problem->hosts[1].speed, 1);
  EXPECT_EQ(problem->handoffs[0].to, 1U);
  const auto placed = Place(*problem);
  ASSERT_TRUE(placed.ok()) << placed.error().message;
  EXPECT_THAT(PlacementText(*problem, *placed), HasSubstr("0.4 hand-offs a second go to another host"));
  const auto json = boost::json::parse(PlacementJson(*problem, *placed)).as_object();
  EXPECT_EQ(json.at("hosts").as_array()[1].as_object().at("experts").as_object().at("small").to_number<double>(), 1);
  EXPECT_EQ(json.at("largest_utilisation").to_number<double>(), 1);
}

TEST_F(PlacementFile, BadOnesAreNamed) {
  EXPECT_THAT(Error("{\n\"hosts\": [}"), HasSubstr("cluster.json:2: not JSON"));
  EXPECT_THAT(Error("{}"), HasSubstr("has no list \"hosts\""));
  EXPECT_THAT(Error(R"({"hosts": [{"name": "a", "memory_gb": 1}]})"), HasSubstr("has no list \"experts\""));
  EXPECT_THAT(Error(R"({"hosts": [{"name": "a"}]})"), HasSubstr("hosts[0]: has no \"memory_gb\""));
  EXPECT_THAT(Error(R"({"hosts": [{"name": "a", "memory_gb": 0}]})"), HasSubstr("\"memory_gb\" is not above 0"));
  EXPECT_THAT(Error(R"({"hosts": [{"name": "a", "memory": 1}]})"), HasSubstr("\"memory\" is not known"));
  EXPECT_THAT(Error(R"({"hosts": [{"name": "a", "memory_gb": 1}, {"name": "a", "memory_gb": 1}]})"),
              HasSubstr("hosts[1]: the name \"a\" is there twice"));
  EXPECT_THAT(Error(R"({"hosts": [{"name": "a", "memory_gb": 1}], "experts": [{"name": "e", "memory_gb": 1}],
                        "handoffs": [{"from": "e", "to": "f", "rate": 1}]})"),
              HasSubstr("handoffs[0]: \"to\" names no expert: \"f\""));
}

}  // namespace
}  // namespace pointsman::offline
