#include "router/cache/question_index.h"

#include <algorithm>

#include "router/classifier/inner_product.h"

namespace pointsman::cache {
namespace {

struct Item {
  Key key, question;
  MatchQuestion match;  // without its vector, which lies in the list's table
  Clock::time_point stored;
};

// The vectors lie side by side, for one pass over them.
struct List {
  Key name;
  std::vector<Item> items;
  std::vector<std::int8_t> vectors;
  std::size_t next = 0;  // to be overwritten, once the list is full

  void Put(std::size_t at, const Item& item, const std::vector<std::int8_t>& vector) {
    items[at] = item;
    std::copy(vector.begin(), vector.end(), vectors.begin() + static_cast<std::ptrdiff_t>(at * vector.size()));
  }
  void RemoveAt(std::size_t at, std::size_t dimensions) {
    const std::size_t last = items.size() - 1;
    items[at] = items[last];
    const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(last * dimensions);
    std::copy(begin, begin + static_cast<std::ptrdiff_t>(dimensions),
              vectors.begin() + static_cast<std::ptrdiff_t>(at * dimensions));
    items.pop_back();
    vectors.resize(last * dimensions);
    next = 0;
  }
};

}  // namespace

struct alignas(64) QuestionIndex::Stripe {
  mutable std::mutex mutex;
  std::list<List> lists;  // most recently used first
  std::unordered_map<Key, std::list<List>::iterator, KeyHash> index;
  std::size_t most = 0, size = 0;

  List* Find(const Key& name) {
    const auto found = index.find(name);
    if (found == index.end()) return nullptr;
    lists.splice(lists.begin(), lists, found->second);
    return &lists.front();
  }
  void Drop(std::list<List>::iterator list) {
    size -= list->items.size();
    index.erase(list->name);
    lists.erase(list);
  }
};

QuestionIndex::QuestionIndex(std::shared_ptr<const QuestionMatcher> matcher, std::size_t most, std::chrono::seconds ttl)
    : matcher_(std::move(matcher)), ttl_(ttl), stripes_(std::make_unique<Stripe[]>(kStripes)) {
  for (std::size_t s = 0; s < kStripes; ++s) stripes_[s].most = std::max<std::size_t>(1, most / kStripes);
}

QuestionIndex::~QuestionIndex() = default;

// The group is a hash already: its first bytes take the answer in.
Key QuestionIndex::ListOf(const Key& group, const MatchQuestion& question) {
  Key list = group;
  const auto answer = static_cast<std::uint32_t>(question.answers[0]) * 2654435761U;  // Knuth's, to spread over stripes
  for (std::size_t i = 0; i < 4; ++i) {
    list[i] ^= static_cast<std::uint8_t>(answer >> (8 * i));
    list[list.size() - 4 + i] ^= static_cast<std::uint8_t>(answer >> (8 * i));
  }
  return list;
}

QuestionIndex::Stripe& QuestionIndex::StripeOf(const Key& list) const { return stripes_[list.back() % kStripes]; }

void QuestionIndex::Add(const Key& group, const MatchQuestion& question, const Key& key, const Key& of_question,
                        Clock::time_point now) {
  const Key name = ListOf(group, question);
  Item item{key, of_question, question, now};
  item.match.vector = {};
  const std::size_t dimensions = question.vector.size();
  Stripe& stripe = StripeOf(name);
  const std::lock_guard lock(stripe.mutex);
  List* list = stripe.Find(name);
  if (list == nullptr) {
    stripe.lists.push_front({name, {}, {}, 0});
    stripe.index.emplace(name, stripe.lists.begin());
    list = &stripe.lists.front();
  }
  const auto same = std::find_if(list->items.begin(), list->items.end(), [&](const Item& i) { return i.key == key; });
  if (same != list->items.end())
    return list->Put(static_cast<std::size_t>(same - list->items.begin()), item, question.vector);
  if (list->items.size() >= std::min(kMostInList, stripe.most)) {
    list->Put(list->next, item, question.vector);
    list->next = (list->next + 1) % list->items.size();
    return;
  }
  list->items.emplace_back();
  list->vectors.resize(list->vectors.size() + dimensions);
  list->Put(list->items.size() - 1, item, question.vector);
  ++stripe.size;
  while (stripe.size > stripe.most && stripe.lists.size() > 1) stripe.Drop(std::prev(stripe.lists.end()));
}

std::optional<LikeQuestion> QuestionIndex::Find(const Key& group, const MatchQuestion& question, double threshold,
                                                Clock::time_point now) {
  thread_local std::vector<std::int32_t> products;
  const Key name = ListOf(group, question);
  Stripe& stripe = StripeOf(name);
  const std::lock_guard lock(stripe.mutex);
  List* const list = stripe.Find(name);
  if (list == nullptr) return std::nullopt;
  for (std::size_t i = list->items.size(); i-- > 0;) {
    if (now - list->items[i].stored <= ttl_) continue;
    list->RemoveAt(i, question.vector.size());
    --stripe.size;
  }
  if (list->items.empty()) {
    stripe.Drop(stripe.lists.begin());
    return std::nullopt;
  }
  products.resize(list->items.size());
  classifier::InnerProducts(list->vectors.data(), list->items.size(), question.vector, products.data());
  std::optional<LikeQuestion> best;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Item& item = list->items[i];
    if (item.match.guards != question.guards) continue;
    const float cosine = static_cast<float>(products[i]) * question.scale * item.match.scale;
    const double probability = matcher_->Probability(question, item.match, cosine);
    if (probability >= threshold && (!best || probability > best->probability)) {
      best = LikeQuestion{item.key, item.question, probability, cosine};
    }
  }
  return best;
}

void QuestionIndex::Remove(const Key& group, const MatchQuestion& asked, const Key& key) {
  const Key name = ListOf(group, asked);
  Stripe& stripe = StripeOf(name);
  const std::lock_guard lock(stripe.mutex);
  List* const list = stripe.Find(name);
  if (list == nullptr) return;
  const auto same = std::find_if(list->items.begin(), list->items.end(), [&](const Item& i) { return i.key == key; });
  if (same == list->items.end()) return;
  list->RemoveAt(static_cast<std::size_t>(same - list->items.begin()), asked.vector.size());
  --stripe.size;
  if (list->items.empty()) stripe.Drop(stripe.lists.begin());
}

std::size_t QuestionIndex::size() const {
  std::size_t size = 0;
  for (std::size_t s = 0; s < kStripes; ++s) {
    const std::lock_guard lock(stripes_[s].mutex);
    size += stripes_[s].size;
  }
  return size;
}

}  // namespace pointsman::cache
