#include "config/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/support.h"
#include "tests/support/temp_dir.h"

namespace pointsman::config {
namespace {

using ::testing::HasSubstr;

TEST(Parse, ReadsTheSmallestFile) {
  Parsed parsed = ParseWith(R"(engine:
  models:
    small: {file: models/small.gguf}
experts:
  tiny:
    local: {model: small}
policies:
  all: {score: pinned, experts: [tiny]}
)");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const Config& config = *parsed.config;
  EXPECT_EQ(config.default_policy, "all") << "the only one";
  EXPECT_EQ(config.engine.models[0].file, "/etc/pointsman/models/small.gguf");
  EXPECT_EQ(config.experts[0].context, 2048u) << "its model's";
  EXPECT_EQ(config.experts[0].capabilities, Capabilities(kJsonSchema | kGrammar | kLogprobs));
  EXPECT_EQ(config.server.listen, "127.0.0.1:50051");
  EXPECT_EQ(config.cache.memory_bytes, 0u);
  EXPECT_TRUE(config.tenants.empty());
}

TEST(Parse, ReadsEveryKey) {
  testing::TempDir dir;
  const auto secret = dir.Write("ops_key", "ops-secret\n");
  Parsed parsed = ParseWith(R"(x-anything: [1, 2]
server:
  listen: 0.0.0.0:443
  insecure: true
  tls: {certificate: tls/a.crt, key: /abs/a.key}
  metrics: off
  shards: 3
  max_message: 1MiB
engine:
  prompt_chunk: 32
  models:
    small:
      file: ../small.gguf
      sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA01
      context: 4096
      slots: 2
      threads: 5
      queue: 7
      chat_template: "{{ messages }}"
experts:
  tiny:
    description: small
    local: {model: small}
    system: Be brief.
    sampling:
      temperature: 0.5
      top_p: 0.9
      top_k: 40
      min_p: 0.05
      max_tokens: 100
      frequency_penalty: -1
      presence_penalty: 1
      repeat_penalty: 1.1
      seed: 18446744073709551615
      stop: ["\n\n", END]
    capabilities: [logprobs]
    context: 1000
    parameters: 0.135
    price: {input: 0, output: 0.5}
    latency: 200ms
  far:
    openai:
      url: https://api.example.com/v1/
      model: big
      key: {env: KEY}
      headers: {x-team: blue, X-Api-Key: {env: KEY2}}
      connect_timeout: 2s
      first_byte_timeout: 1m
      idle_timeout: 500ms
      max_tokens_field: max_completion_tokens
    capabilities: [tools, images, json_schema]
    context: 100000
classifier: {artifact: c.pmc, entropy_threshold: 1.25}
policies:
  topics:
    score: category_map
    select: best
    run: single
    map: {general: [tiny], computer science: [far, tiny]}
  one: {score: pinned, experts: [far]}
default_policy: topics
cache: {memory: 64MiB, ttl: 90m}
tenants:
  web: {key: {env: WEB}}
  ops: {key: {file: )" + secret.string() +
                                R"(}, admin: true}
limits: {in_flight: 5, max_deadline: 30s}
telemetry: {log_level: debug, log_format: json, log_prompts: true}
)",
                            {{"KEY", "k1"}, {"KEY2", "k2"}, {"WEB", "web-secret"}});
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const Config& c = *parsed.config;
  EXPECT_EQ(c.server.listen, "0.0.0.0:443");
  EXPECT_TRUE(c.server.insecure);
  EXPECT_EQ(c.server.tls->certificate, "/etc/pointsman/tls/a.crt");
  EXPECT_EQ(c.server.tls->key, "/abs/a.key");
  EXPECT_EQ(c.server.metrics, "");
  EXPECT_EQ(c.server.shards, 3u);
  EXPECT_EQ(c.server.max_message_bytes, 1u << 20);
  EXPECT_EQ(c.engine.prompt_chunk, 32u);
  const Model& model = c.engine.models.at(0);
  EXPECT_EQ(model.file, "/etc/small.gguf");
  EXPECT_EQ(model.sha256, std::string(62, 'a') + "01");
  EXPECT_EQ(model.context, 4096u);
  EXPECT_EQ(model.slots, 2u);
  EXPECT_EQ(model.threads, 5u);
  EXPECT_EQ(model.queue, 7u);
  EXPECT_EQ(model.chat_template, "{{ messages }}");
  const Expert& tiny = *c.FindExpert("tiny");
  EXPECT_EQ(tiny.description, "small");
  EXPECT_EQ(std::get<LocalBackend>(tiny.backend).model, "small");
  EXPECT_EQ(tiny.system, "Be brief.");
  EXPECT_EQ(tiny.sampling.temperature, 0.5);
  EXPECT_EQ(tiny.sampling.top_p, 0.9);
  EXPECT_EQ(tiny.sampling.top_k, 40u);
  EXPECT_EQ(tiny.sampling.min_p, 0.05);
  EXPECT_EQ(tiny.sampling.max_tokens, 100u);
  EXPECT_EQ(tiny.sampling.frequency_penalty, -1);
  EXPECT_EQ(tiny.sampling.presence_penalty, 1);
  EXPECT_EQ(tiny.sampling.repeat_penalty, 1.1);
  EXPECT_EQ(tiny.sampling.seed, 18446744073709551615u);
  EXPECT_EQ(tiny.sampling.stop, (std::vector<std::string>{"\n\n", "END"}));
  EXPECT_EQ(tiny.capabilities, Capabilities(kLogprobs));
  EXPECT_EQ(tiny.context, 1000u);
  EXPECT_EQ(tiny.parameters, 0.135);
  EXPECT_EQ(tiny.price->input, 0);
  EXPECT_EQ(tiny.price->output, 0.5);
  EXPECT_EQ(tiny.latency, std::chrono::milliseconds(200));
  const auto& far = std::get<OpenAiBackend>(c.FindExpert("far")->backend);
  EXPECT_EQ(far.url, "https://api.example.com/v1");
  EXPECT_EQ(far.model, "big");
  EXPECT_EQ(far.key, "k1");
  EXPECT_EQ(far.key_source, "environment variable KEY");
  EXPECT_EQ(far.headers, (std::map<std::string, std::string>{{"x-team", "blue"}, {"X-Api-Key", "k2"}}));
  EXPECT_EQ(far.connect_timeout, std::chrono::seconds(2));
  EXPECT_EQ(far.first_byte_timeout, std::chrono::minutes(1));
  EXPECT_EQ(far.idle_timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(far.max_tokens_field, "max_completion_tokens");
  EXPECT_EQ(c.FindExpert("far")->capabilities, Capabilities(kTools | kImages | kJsonSchema));
  EXPECT_EQ(c.classifier.artifact, "/etc/pointsman/c.pmc");
  EXPECT_EQ(c.classifier.entropy_threshold, 1.25);
  const auto& map = std::get<CategoryMap>(c.FindPolicy("topics")->score).experts;
  EXPECT_EQ(map.at("computer science"), (Experts{1, 0}));  // far, tiny
  EXPECT_EQ(std::get<Pinned>(c.FindPolicy("one")->score).experts, Experts{1});
  EXPECT_EQ(c.default_policy, "topics");
  EXPECT_EQ(c.cache.memory_bytes, std::size_t{64} << 20);
  EXPECT_EQ(c.cache.ttl, std::chrono::minutes(90));
  ASSERT_EQ(c.tenants.size(), 2u);
  EXPECT_EQ(c.tenants[0].key, "web-secret");
  EXPECT_FALSE(c.tenants[0].admin);
  EXPECT_EQ(c.tenants[1].key, "ops-secret");
  EXPECT_EQ(c.tenants[1].key_source, "file " + secret.string());
  EXPECT_TRUE(c.tenants[1].admin);
  EXPECT_EQ(c.limits.in_flight, 5u);
  EXPECT_EQ(c.limits.max_deadline, std::chrono::seconds(30));
  EXPECT_EQ(c.telemetry.log_level, "debug");
  EXPECT_EQ(c.telemetry.log_format, LogFormat::kJson);
  EXPECT_TRUE(c.telemetry.log_prompts);
}

// The promise of the parser: everything at once, in the file's order, each with its place and its mend.
TEST(Parse, ReportsEverythingAtOnce) {
  Parsed parsed = ParseWith(R"(servr: {}
server: {listen: "0.0.0.0:50051", shards: -1}
engine:
  models:
    small:
      fil: small.gguf
      context: 100000000
experts:
  tiny:
    local: {model: smal}
    sampling: {temperature: 3, stop: END}
    capabilities: [tools]
  far:
    openai: {url: api.openai.com, model: m, key: sk-verysecret, idle_timeout: 30}
  far: {}
policies:
  all: {score: pinned, experts: [tiney]}
  topics: {score: category_map, map: {math: [far]}, select: top_k}
default_policy: topic
cache: {memory: lots}
tenants: {web: {admin: yes}}
limits:
telemetry: {log_level: loud}
)");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(Problems(parsed), R"(1:1: servr: is not a known key (did you mean "server"?)
2:18: server.listen: "0.0.0.0:50051" can be reached from other machines, and there is no TLS (listen on 127.0.0.1, give server.tls a certificate and key, or say server.insecure: true)
2:43: server.shards: is "-1" (it must be a whole number from 0 to 256: event loops; 0 = one per core)
5:5: engine.models.small: has no "file" (it is required: the GGUF file)
6:7: engine.models.small.fil: is not a known key (did you mean "file"?)
7:16: engine.models.small.context: is "100000000" (it must be a whole number from 64 to 1048576: tokens)
10:20: experts.tiny.local.model: there is no model "smal" (did you mean "small"?)
11:29: experts.tiny.sampling.temperature: is "3" (it must be a number from 0 to 2)
11:38: experts.tiny.sampling.stop: is text (it must be a list, as in [a, b])
12:20: experts.tiny.capabilities[0]: local experts cannot use tools (they can have json_schema, grammar and logprobs)
14:19: experts.far.openai.url: does not begin with https:// or http:// (as in https://api.openai.com/v1)
14:50: experts.far.openai.key: secrets are not written in the configuration (write {env: NAME} for an environment variable or {file: PATH} for a file)
14:79: experts.far.openai.idle_timeout: is "30" (it must be a duration with its unit, ms, s, m or h, from 1ms to 1h, as in 500ms or 30s)
15:3: experts.far: is there twice (keep one of them)
17:34: policies.all.experts[0]: there is no expert "tiney" (did you mean "tiny"?)
18:33: policies.topics.map: has no "general" (it is required: it serves uncertain requests and the categories that are not named)
18:61: policies.topics.select: selects several, and run: single asks one after the other (set run: ensemble, or cascade)
19:17: default_policy: there is no policy "topic" (did you mean "topics"?)
20:17: cache.memory: is "lots" (it must be a size with its unit, B, KiB, MiB or GiB, from 0B to 1024GiB, as in 64MiB)
21:11: tenants.web: has no "key" (it is required: how the tenant is known, {env: NAME} or {file: PATH})
21:24: tenants.web.admin: is "yes" (it must be true or false)
22:1: limits: has no value (give it one, or remove the key)
23:24: telemetry.log_level: is "loud" (it must be one of trace, debug, info, warn, error, off)
)");
  for (const Problem& problem : parsed.problems) {
    EXPECT_EQ(problem.file, "/etc/pointsman/test.yaml");
    EXPECT_THAT(problem.ToString(), ::testing::Not(HasSubstr("sk-verysecret"))) << "secrets are never repeated";
  }
}

TEST(Parse, SaysWhereTheYamlIsBroken) {
  for (const auto& [text, begin] : std::map<std::string, std::string>{{"a: [1, 2\nb: c", "/etc/pointsman/test.yaml:2:"},
                                                                      {"a: 'open", "/etc/pointsman/test.yaml:1:"},
                                                                      {"a: *nobody", "/etc/pointsman/test.yaml:1:"},
                                                                      {"a: b: c", "/etc/pointsman/test.yaml:1:"},
                                                                      {"a:\n\t- b", "/etc/pointsman/test.yaml:2:"}}) {
    Parsed parsed = ParseWith(text);
    ASSERT_EQ(parsed.problems.size(), 1u) << text;
    EXPECT_THAT(parsed.problems[0].ToString(), ::testing::StartsWith(begin)) << text;
    EXPECT_THAT(parsed.problems[0].message, HasSubstr("is not YAML")) << text;
  }
}

TEST(Parse, RefusesWhatIsNoMap) {
  EXPECT_THAT(Problems(ParseWith("")), HasSubstr("1:1: the file is empty"));
  EXPECT_THAT(Problems(ParseWith("# only words\n")), HasSubstr("the file is empty"));
  EXPECT_EQ(Problems(ParseWith("- a\n- b\n")), "1:1: is a list (it must be a map, key: value)\n");
  EXPECT_EQ(Problems(ParseWith("just text")), "1:1: is text (it must be a map, key: value)\n");
  EXPECT_EQ(Problems(ParseWith(kBase + "---\n" + kBase)),
            "5:1: a second YAML document begins here (there may be one only)\n");
  EXPECT_EQ(Problems(ParseWith(kBase + "? [a]\n: b\n")), "4:3: has a key that is a list (keys must be text)\n");
}

TEST(Parse, NeedsExpertsAndPolicies) {
  EXPECT_EQ(Problems(ParseWith("server: {}")),
            "1:1: has no \"experts\" (it is required: who can answer)\n"
            "1:1: has no \"policies\" (it is required: who is asked for what)\n");
  EXPECT_EQ(Problems(ParseWith("experts: {}\npolicies: {}\n")),
            "1:1: experts: is empty (name at least one expert)\n2:1: policies: is empty (name at least one policy)\n");
}

TEST(Parse, NamesTheFileThatItCannotRead) {
  testing::TempDir dir;
  const auto missing = dir.path() / "missing.yaml";
  Parsed parsed = Parse(missing);
  ASSERT_EQ(parsed.problems.size(), 1u);
  EXPECT_EQ(parsed.problems[0].ToString(),
            missing.string() + ": cannot open " + missing.string() + ": No such file or directory");
  EXPECT_THAT(Parse(dir.path()).problems.at(0).message, HasSubstr("is a folder"));
  const auto large = dir.Write("large.yaml", std::string((4 << 20) + 1, '#'));
  EXPECT_THAT(Parse(large).problems.at(0).message, HasSubstr("is larger than"));
}

TEST(Parse, SharesByAnchorsMergesAndExtensions) {
  Parsed parsed = ParseWith(R"(x-cold: &cold {temperature: 0, max_tokens: 7}
x-more: &more {temperature: 1, top_k: 5}
engine: {models: {small: {file: a.gguf}}}
experts:
  one: &one
    local: {model: small}
    sampling: {<<: *cold, max_tokens: 9}
  two: *one
  three:
    <<: *one
    sampling: {<<: [*cold, *more]}
policies: {all: {score: pinned, experts: [one, two, three]}}
)");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const auto& experts = parsed.config->experts;
  EXPECT_EQ(experts[0].sampling.temperature, 0);
  EXPECT_EQ(experts[0].sampling.max_tokens, 9u) << "what stands beside << wins";
  EXPECT_EQ(experts[1].sampling.max_tokens, 9u);
  EXPECT_EQ(experts[2].sampling.temperature, 0) << "the first merged map wins";
  EXPECT_EQ(experts[2].sampling.top_k, 5u);
  EXPECT_EQ(std::get<LocalBackend>(experts[2].backend).model, "small");
}

TEST(Parse, ExtensionsAreForTheTopLevelOnly) {
  EXPECT_THAT(Problems(ParseWith(kBase + "server: {x-note: hello}\n")), HasSubstr("server.x-note: is not a known key"));
}

TEST(Parse, SurvivesMergesThatHoldThemselves) {
  EXPECT_FALSE(ParseWith("experts: &a {<<: *a}\n").ok());
  std::string bomb = "x-0: &m0 {a: b}\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*m" + std::to_string(i - 1);
    bomb += "x-" + std::to_string(i) + ": &m" + std::to_string(i) + " {<<: [" + before + ", " + before + "]}\n";
  }
  EXPECT_THAT(Problems(ParseWith(bomb + "server: {<<: *m29}\n")), HasSubstr("merges more than 64 maps"));
}

TEST(Parse, TheFingerprintIsOfTheText) {
  const auto print = [](const std::string& text, std::map<std::string, std::string> env = {}) {
    return ParseWith(text, std::move(env)).config->fingerprint;
  };
  EXPECT_EQ(print(kBase), print(kBase));
  EXPECT_NE(print(kBase), print(kBase + "cache: {memory: 1MiB}\n"));
  const std::string tenants = kBase + "tenants: {a: {key: {env: A}}}\n";
  EXPECT_EQ(print(tenants, {{"A", "one"}}), print(tenants, {{"A", "two"}}));
}

TEST(Parse, KnowsWhereThingsAre) {
  Parsed parsed = ParseWith(kEngine + kExperts +
                            "policies:\n  topics:\n    score: category_map\n    map:\n      general: [tiny]\n" +
                            "      alchemy: [far]\n");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  EXPECT_EQ(parsed.config->ProblemAt("policies.topics.map.alchemy", "is no category").ToString(),
            "/etc/pointsman/test.yaml:8:7: policies.topics.map.alchemy: is no category");
  EXPECT_EQ(parsed.config->ProblemAt("policies.topics.map.alchemy[0]", "x").place, (Place{8, 17}));
  EXPECT_EQ(parsed.config->ProblemAt("policies.topics.nothing.at.all", "x").place, (Place{4, 3}))
      << "the nearest that is there";
  EXPECT_EQ(parsed.config->ProblemAt("", "x").ToString(), "/etc/pointsman/test.yaml: x");
}

}  // namespace
}  // namespace pointsman::config
