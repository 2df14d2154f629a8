#include "router/offline/evaluate_top_p.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "policies/choose.h"
#include "policies/select/mass_controller.h"
#include "router/offline/posterior_evidence.h"
#include "router/offline/random.h"

namespace pointsman::offline {
namespace {

// A catalogue with one expert for each category, and a policy that asks for as many as top-p or top-k says.
class Chooser {
 public:
  explicit Chooser(const std::vector<std::string>& categories) {
    config::CategoryMap map;
    for (std::size_t c = 0; c < categories.size(); ++c) {
      config::Expert expert;
      expert.name = categories[c];
      config_.experts.push_back(std::move(expert));
      map.experts[categories[c]] = {c};
    }
    map.experts.try_emplace("general", config::Experts{0});
    policy_.name = "top_p";
    policy_.score = std::move(map);
    policy_.ensemble = config::Combine::kVote;
  }

  void TopP(double mass, unsigned most) {
    policy_.select.rule = config::Select::kTopP;
    policy_.select.mass = mass;
    policy_.select.most = most;
    facts_.mass.reset();
  }
  void TopK(std::size_t k) {
    policy_.select.rule = config::Select::kTopK;
    policy_.select.k = static_cast<unsigned>(k);
  }
  void SetMass(double mass) { facts_.mass = mass; }

  struct Set {
    std::size_t size = 0;
    bool hit = false;
  };
  Set Choose(const policies::Evidence& evidence, std::uint32_t label) const {
    const auto choice = policies::Choose(config_, policy_, facts_, &evidence);
    Set set;
    if (!choice) return set;  // cannot be: nobody is excluded
    set.size = choice->models;
    if (const auto* ensemble = std::get_if<policies::Ensemble>(&choice->plan)) {
      set.hit = std::any_of(ensemble->members.begin(), ensemble->members.end(),
                            [label](const policies::Member& member) { return member.candidate.expert == label; });
    } else {
      set.hit = policies::First(choice->plan).expert == label;
    }
    return set;
  }

 private:
  config::Config config_;
  config::Policy policy_;
  policies::RequestFacts facts_;
};

struct Rows {
  std::vector<policies::Evidence> evidence;
  std::span<const std::uint32_t> label;
};

Rows Prepare(const std::vector<std::string>& categories, const LabelledPosteriors& from) {
  Rows rows{{}, from.label};
  for (std::size_t i = 0; i < from.posteriors.rows; ++i) {
    rows.evidence.push_back(EvidenceOf(categories, from.posteriors.Row(i)));
  }
  return rows;
}

struct Measured {
  std::vector<double> size, hit;  // by row
};

Measured Measure(const Chooser& chooser, const Rows& rows) {
  Measured measured;
  for (std::size_t i = 0; i < rows.evidence.size(); ++i) {
    const Chooser::Set set = chooser.Choose(rows.evidence[i], rows.label[i]);
    measured.size.push_back(static_cast<double>(set.size));
    measured.hit.push_back(set.hit ? 1 : 0);
  }
  return measured;
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// `fixed` are the hits of top-1, top-2, ... by row.
TopPPoint Point(double mass, unsigned most, const Measured& measured, const std::vector<Measured>& fixed) {
  TopPPoint point;
  point.mass = mass;
  point.most = most;
  point.size = Mean(measured.size);
  point.hit = Mean(measured.hit);
  point.hit_interval = BootstrapMean(measured.hit);
  const auto below = std::min(static_cast<std::size_t>(point.size), fixed.size());
  const std::size_t above = std::min(below + 1, fixed.size());
  const double share = point.size - static_cast<double>(below);
  std::vector<double> gain, other;
  for (std::size_t i = 0; i < measured.hit.size(); ++i) {
    other.push_back((1 - share) * fixed[below - 1].hit[i] + share * fixed[above - 1].hit[i]);
    gain.push_back(measured.hit[i] - other.back());
  }
  point.fixed = Mean(other);
  point.gain = Mean(gain);
  point.gain_interval = BootstrapMean(gain);
  return point;
}

// The least p, to 0.01, whose sets hit as often as top-2 on these rows.
double MassAsTop2(Chooser& chooser, const Rows& rows, unsigned categories) {
  chooser.TopK(2);
  const double wanted = Mean(Measure(chooser, rows).hit);
  for (int percent = 1; percent < 100; ++percent) {
    chooser.TopP(percent / 100.0, categories);
    if (Mean(Measure(chooser, rows).hit) >= wanted) return percent / 100.0;
  }
  return 1;
}

std::vector<std::size_t> ByEntropy(const Rows& rows) {
  std::vector<std::size_t> order(rows.evidence.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows.evidence[a].entropy < rows.evidence[b].entropy; });
  return order;
}

std::vector<TopPDecile> Deciles(Chooser& chooser, const Rows& rows, const Measured& top_1) {
  const Measured measured = Measure(chooser, rows);
  const std::vector<std::size_t> order = ByEntropy(rows);
  const std::size_t count = std::min<std::size_t>(10, order.size());
  std::vector<TopPDecile> deciles(count);
  for (std::size_t d = 0; d < count; ++d) {
    const std::size_t first = d * order.size() / count, last = (d + 1) * order.size() / count;
    for (std::size_t i = first; i < last; ++i) {
      const double weight = 1 / static_cast<double>(last - first);
      deciles[d].entropy += weight * rows.evidence[order[i]].entropy;
      deciles[d].top_1 += weight * top_1.hit[order[i]];
      deciles[d].size += weight * measured.size[order[i]];
      deciles[d].hit += weight * measured.hit[order[i]];
    }
  }
  return deciles;
}

std::size_t Settled(const std::vector<double>& windows, double target) {
  std::size_t settled = 0;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    if (std::abs(windows[w] - target) > 0.05 * target) settled = (w + 1) * TopPController::kWindow;
  }
  return settled;
}

TopPController Control(Chooser& chooser, const Rows& rows, const TopPOptions& options) {
  using C = TopPController;
  C result;
  result.target = options.mean_experts;
  const config::Selection defaults;
  chooser.TopP(defaults.mass, options.most);
  const std::vector<std::size_t> order = ByEntropy(rows);
  const std::size_t half = order.size() / 2;
  const std::span<const std::size_t> easy(order.data(), std::max<std::size_t>(half, 1)),
      hard(order.data() + half, order.size() - half);
  const double weight = 1 / static_cast<double>(C::kStreams * C::kWindow);
  for (std::size_t stream = 0; stream < C::kStreams; ++stream) {
    SplitMix random(stream);
    select::MassController controller(options.mean_experts, defaults.mass);
    const auto run = [&](std::span<const std::size_t> from, std::vector<double>& windows, double& mass) {
      windows.resize(C::kWindows, 0);
      for (std::size_t request = 0; request < C::kWindows * C::kWindow; ++request) {
        const std::size_t i = from[random.Below(from.size())];
        const std::size_t window = request / C::kWindow;
        if (window + 1 == C::kWindows) mass += weight * controller.mass();
        chooser.SetMass(controller.mass());
        const std::size_t size = chooser.Choose(rows.evidence[i], rows.label[i]).size;
        controller.Observe(size);
        windows[window] += weight * static_cast<double>(size);
      }
    };
    run(easy, result.easy, result.mass_easy);
    run(hard, result.hard, result.mass_hard);
  }
  result.settled_easy = Settled(result.easy, result.target);
  result.settled_hard = Settled(result.hard, result.target);
  chooser.SetMass(result.mass_easy);
  for (const std::size_t i : hard) {
    result.uncontrolled +=
        static_cast<double>(chooser.Choose(rows.evidence[i], rows.label[i]).size) / static_cast<double>(hard.size());
  }
  return result;
}

}  // namespace

TopPEvaluation EvaluateTopP(const std::vector<std::string>& categories, const LabelledPosteriors& train,
                            const LabelledPosteriors& test, const TopPOptions& options) {
  Chooser chooser(categories);
  const auto all = static_cast<unsigned>(categories.size());
  const Rows rows = Prepare(categories, test);
  std::vector<Measured> fixed;
  for (std::size_t k = 1; k <= categories.size(); ++k) {
    chooser.TopK(k);
    fixed.push_back(Measure(chooser, rows));
  }
  TopPEvaluation e;
  for (std::size_t k = 0; k < std::min<std::size_t>(3, fixed.size()); ++k) e.fixed.push_back(Mean(fixed[k].hit));
  for (const double mass : options.masses) {
    chooser.TopP(mass, all);
    e.free.push_back(Point(mass, all, Measure(chooser, rows), fixed));
    chooser.TopP(mass, options.most);
    e.capped.push_back(Point(mass, options.most, Measure(chooser, rows), fixed));
  }
  const double mass = MassAsTop2(chooser, Prepare(categories, train), all);
  chooser.TopP(mass, all);
  e.as_top_2 = Point(mass, all, Measure(chooser, rows), fixed);
  e.deciles = Deciles(chooser, rows, fixed[0]);
  e.controller = Control(chooser, rows, options);
  return e;
}

}  // namespace pointsman::offline
