#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "router/cache/memory_cache.h"

namespace pointsman::cache {
namespace {

using Change = std::function<void(v1::CompleteRequest&)>;

v1::CompleteRequest Request() {
  v1::CompleteRequest request;
  v1::Message& message = *request.add_messages();
  message.set_role(v1::ROLE_USER);
  message.add_parts()->set_text("What is the speed of light?");
  request.mutable_sampling()->set_temperature(0);
  return request;
}

Key KeyAfter(const Change& change) {
  v1::CompleteRequest request = Request();
  change(request);
  return MakeKey("a secret", "tenant", 7, request);
}

const Key& Plain() {
  static const Key key = MakeKey("a secret", "tenant", 7, Request());
  return key;
}

// One change for each field that counts, by the field's full name.
const std::map<std::string, Change>& Counted() {
  using Q = v1::CompleteRequest;
  static const std::map<std::string, Change> changes = {
      {"CompleteRequest.messages", [](Q& q) { q.mutable_messages(0)->mutable_parts(0)->set_text("Other"); }},
      {"CompleteRequest.sampling", [](Q& q) { q.mutable_sampling()->set_max_tokens(5); }},
      {"CompleteRequest.tools", [](Q& q) { q.add_tools()->set_name("look_up"); }},
      {"CompleteRequest.tool_choice", [](Q& q) { q.set_tool_choice("none"); }},
      {"CompleteRequest.response_format", [](Q& q) { q.mutable_response_format()->set_json_object(true); }},
      {"CompleteRequest.logprobs", [](Q& q) { q.set_logprobs(true); }},
      {"CompleteRequest.top_logprobs", [](Q& q) { q.set_top_logprobs(3); }},
      {"Routing.policy", [](Q& q) { q.mutable_routing()->set_policy("p"); }},
      {"Routing.expert", [](Q& q) { q.mutable_routing()->set_expert("p"); }},
      {"Routing.deny", [](Q& q) { q.mutable_routing()->add_deny("p"); }},
      {"Routing.require", [](Q& q) { q.mutable_routing()->add_require("p"); }},
      {"Routing.boost", [](Q& q) { (*q.mutable_routing()->mutable_boost())["p"] = 1; }},
      {"Routing.max_cost_usd", [](Q& q) { q.mutable_routing()->set_max_cost_usd(0.5); }},
      {"Routing.max_latency_ms", [](Q& q) { q.mutable_routing()->set_max_latency_ms(100); }},
  };
  return changes;
}

const std::map<std::string, Change>& Uncounted() {
  using Q = v1::CompleteRequest;
  static const std::map<std::string, Change> changes = {
      {"Routing.session_id", [](Q& q) { q.mutable_routing()->set_session_id("s"); }},
      {"Routing.user_id", [](Q& q) { q.mutable_routing()->set_user_id("u"); }},
      {"Routing.tags", [](Q& q) { (*q.mutable_routing()->mutable_tags())["a"] = "b"; }},
      {"Routing.cache", [](Q& q) { q.mutable_routing()->mutable_cache()->set_no_store(true); }},
      {"Routing.explain", [](Q& q) { q.mutable_routing()->set_explain(true); }},
  };
  return changes;
}

TEST(MakeKey, EveryCountedFieldChangesIt) {
  std::set<Key> keys = {Plain()};
  for (const auto& [field, change] : Counted()) EXPECT_TRUE(keys.insert(KeyAfter(change)).second) << field;
}

// Who did not ask for sampled answers to be cached must not be served one that somebody else asked to keep.
TEST(MakeKey, CacheableRequestsAreApart) {
  EXPECT_NE(KeyAfter([](v1::CompleteRequest& q) { q.mutable_routing()->mutable_cache()->set_cacheable(true); }),
            Plain());
}

// Where the policy agrees for all, it does not matter who agreed.
TEST(MakeKey, APolicyMayAgreeForItsRequests) {
  v1::CompleteRequest asking = Request();
  asking.mutable_routing()->mutable_cache()->set_cacheable(true);
  EXPECT_NE(MakeKey("a secret", "tenant", 7, Request(), true), Plain());
  EXPECT_EQ(MakeKey("a secret", "tenant", 7, Request(), true), MakeKey("a secret", "tenant", 7, asking));
  EXPECT_EQ(MakeKey("a secret", "tenant", 7, asking, true), MakeKey("a secret", "tenant", 7, asking));
}

TEST(MakeKey, UncountedFieldsDoNot) {
  for (const auto& [field, change] : Uncounted()) EXPECT_EQ(KeyAfter(change), Plain()) << field;
}

// A field that somebody adds must be counted, or be put among those that do not count.
TEST(MakeKey, KnowsEveryFieldOfARequest) {
  for (const google::protobuf::Descriptor* message : {v1::CompleteRequest::descriptor(), v1::Routing::descriptor()}) {
    for (int i = 0; i < message->field_count(); ++i) {
      const std::string name = message->name() + "." + message->field(i)->name();
      if (name == "CompleteRequest.routing") continue;  // its fields follow
      EXPECT_EQ(Counted().count(name) + Uncounted().count(name), 1u) << name << " is not in router/cache/key.cc";
    }
  }
}

TEST(MakeKey, CountsEveryPartOfTheConversation) {
  std::set<Key> keys = {Plain()};
  auto differs = [&](const Change& change) { return keys.insert(KeyAfter(change)).second; };
  EXPECT_TRUE(differs([](auto& q) { q.mutable_messages(0)->set_role(v1::ROLE_SYSTEM); }));
  EXPECT_TRUE(differs([](auto& q) { q.mutable_messages(0)->set_name("Ann"); }));
  EXPECT_TRUE(
      differs([](auto& q) { q.mutable_messages(0)->add_parts()->mutable_image()->set_url("https://a/b.png"); }));
  EXPECT_TRUE(differs([](auto& q) { q.add_messages()->set_role(v1::ROLE_USER); }));
  EXPECT_TRUE(differs([](auto& q) { q.mutable_sampling()->clear_temperature(); }));
  EXPECT_TRUE(differs([](auto& q) { q.clear_sampling(); }));
  EXPECT_TRUE(differs([](auto& q) { q.mutable_sampling()->add_stop("x"); }));
}

TEST(MakeKey, TenantsNeverShare) {
  EXPECT_NE(MakeKey("a secret", "a", 7, Request()), MakeKey("a secret", "b", 7, Request()));
  EXPECT_NE(MakeKey("a secret", "a", 7, Request()), MakeKey("a secret", "", 7, Request()));
}

TEST(MakeKey, SnapshotsNeverShare) { EXPECT_NE(MakeKey("a secret", "tenant", 8, Request()), Plain()); }

TEST(MakeKey, PartsCannotFlowIntoEachOther) {
  auto two = [](std::string first, std::string second) {
    v1::CompleteRequest request;
    request.add_messages()->add_parts()->set_text(std::move(first));
    request.add_messages()->add_parts()->set_text(std::move(second));
    return MakeKey("a secret", "t", 1, request);
  };
  EXPECT_NE(two("ab", "c"), two("a", "bc"));
  EXPECT_NE(two("abc", ""), two("", "abc"));
  v1::CompleteRequest deny, require;
  deny.mutable_routing()->add_deny("x");
  require.mutable_routing()->add_require("x");
  EXPECT_NE(MakeKey("a secret", "t", 1, deny), MakeKey("a secret", "t", 1, require));
}

TEST(MakeKey, OrderAndRepetitionOfNamesDoNotCount) {
  auto key = [](std::vector<std::string> deny) {
    v1::CompleteRequest request = Request();
    for (std::string& name : deny) request.mutable_routing()->add_deny(std::move(name));
    return MakeKey("a secret", "tenant", 7, request);
  };
  EXPECT_EQ(key({"a", "b"}), key({"b", "a", "b"}));
  EXPECT_NE(key({"a", "b"}), key({"a"}));
}

TEST(MakeKey, NoTopLogprobsIsZeroOfThem) {
  EXPECT_EQ(KeyAfter([](auto& q) { q.set_top_logprobs(0); }), Plain());
}

TEST(MakeKey, LongTextsCountToTheLastByte) {
  for (const std::size_t size : {1u, 1000u, 1023u, 1024u, 1025u, 5000u, 300'000u}) {
    std::string text(size, 'x');
    auto key = [&] { return KeyAfter([&](auto& q) { q.mutable_messages(0)->mutable_parts(0)->set_text(text); }); };
    const Key before = key();
    EXPECT_EQ(key(), before);
    text.back() = 'y';
    EXPECT_NE(key(), before) << size;
  }
}

TEST(MayStore, WhatIsDeterministicOrAllowed) {
  v1::Sampling sampling;
  v1::CompleteRequest request = Request();
  EXPECT_FALSE(MayStore(request, sampling)) << "the backend's own temperature is not known";
  sampling.set_temperature(0.5);
  EXPECT_FALSE(MayStore(request, sampling));
  sampling.set_seed(0);
  EXPECT_TRUE(MayStore(request, sampling));
  sampling.clear_seed();
  sampling.set_temperature(0);
  EXPECT_TRUE(MayStore(request, sampling));
  sampling.set_temperature(1);
  EXPECT_FALSE(MayStore(request, sampling));
  EXPECT_TRUE(MayStore(request, sampling, true)) << "the policy says so";
  request.mutable_routing()->mutable_cache()->set_cacheable(true);
  EXPECT_TRUE(MayStore(request, sampling));
}

TEST(MayStore, NothingWithToolsAndNothingThatMustNotBeKept) {
  v1::Sampling sampling;
  sampling.set_temperature(0);
  auto may = [&](const Change& change) {
    v1::CompleteRequest request = Request();
    request.mutable_routing()->mutable_cache()->set_cacheable(true);
    change(request);
    return MayStore(request, sampling);
  };
  EXPECT_TRUE(may([](auto&) {}));
  EXPECT_TRUE(may([](auto& q) { q.mutable_routing()->mutable_cache()->set_no_cache(true); }));
  EXPECT_FALSE(may([](auto& q) { q.mutable_routing()->mutable_cache()->set_no_store(true); }));
  EXPECT_FALSE(may([](auto& q) { q.add_tools()->set_name("f"); }));
  EXPECT_FALSE(may([](auto& q) { q.add_messages()->set_role(v1::ROLE_TOOL); }));
  EXPECT_FALSE(may([](auto& q) { q.add_messages()->add_tool_calls()->set_name("f"); }));
}

}  // namespace
}  // namespace pointsman::cache
