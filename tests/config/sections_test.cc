// Each class of error of each section, with its exact place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"
#include "tests/config/support.h"
#include "tests/support/temp_dir.h"

namespace pointsman::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What is wrong with the valid file when these lines are added to it; they begin in line 4.
std::string With(const std::string& lines, std::map<std::string, std::string> environment = {}) {
  return Problems(ParseWith(kBase + lines, std::move(environment)));
}

// The same for one expert that is written out, in line 2.
std::string WithExpert(const std::string& expert, std::map<std::string, std::string> environment = {}) {
  return Problems(
      ParseWith(kEngine + "experts: {tiny: " + expert + "}\npolicies: {all: {score: pinned, experts: [tiny]}}\n",
                std::move(environment)));
}

std::string WithPolicies(const std::string& policies) { return Problems(ParseWith(kEngine + kExperts + policies)); }

TEST(Server, ListensOnLoopbackUnlessToldOtherwise) {
  for (const char* address : {"127.0.0.1:0", "127.3.2.1:50051", "localhost:1", "'[::1]:65535'"}) {
    EXPECT_EQ(With("server: {listen: " + std::string(address) + "}\n"), "") << address;
  }
  for (const char* address : {"0.0.0.0:1", "10.0.0.1:1", "'[::]:1'", "example.com:1"}) {
    const std::string listen = "server: {listen: " + std::string(address);
    EXPECT_THAT(With(listen + "}\n"), HasSubstr("4:18: server.listen: ")) << address;
    EXPECT_THAT(With(listen + ", insecure: false}\n"), HasSubstr("there is no TLS")) << address;
    EXPECT_EQ(With(listen + ", insecure: true}\n"), "") << address;
    EXPECT_EQ(With(listen + ", tls: {certificate: a, key: b}}\n"), "") << address;
  }
}

TEST(Server, SaysWhatIsWrongWithAnAddress) {
  for (const auto& [address, why] : std::map<std::string, std::string>{{"localhost", "the port is missing"},
                                                                       {":50051", "the host is missing"},
                                                                       {"::1:50051", "needs brackets"},
                                                                       {"[::1]", "the port is missing"},
                                                                       {"[::1", "the ']' is missing"},
                                                                       {"[x]:1", "no IPv6 address"},
                                                                       {"a:65536", "0 to 65535"},
                                                                       {"a:", "0 to 65535"},
                                                                       {"a b:1", "no host has"},
                                                                       {"unix:/tmp/x", "0 to 65535"}}) {
    EXPECT_THAT(With("server: {listen: '" + address + "'}\n"), HasSubstr(why)) << address;
    EXPECT_THAT(With("server: {metrics: '" + address + "'}\n"), HasSubstr("4:19: server.metrics: ")) << address;
  }
  EXPECT_EQ(With("server: {metrics: off}\n"), "");
  EXPECT_EQ(With("server: {metrics: ''}\n"), "");
}

TEST(Server, TlsNeedsBothFiles) {
  EXPECT_EQ(With("server: {tls: {key: a}}\n"),
            "4:10: server.tls: has no \"certificate\" (it is required: the PEM file of the certificate chain)\n");
  EXPECT_EQ(With("server: {tls: {certificate: a}}\n"),
            "4:10: server.tls: has no \"key\" (it is required: the PEM file of the private key)\n");
}

TEST(Numbers, HaveTheirRanges) {
  // Value to whether it is right, by key.
  const std::vector<std::tuple<std::string, std::vector<std::string>, std::vector<std::string>>> cases = {
      {"server: {shards: @}", {"0", "256"}, {"257", "-1", "1.5", "two", "''", "0x10", "1e3", "99999999999999999999"}},
      {"server: {max_message: @}", {"1KiB", "256MiB", "1 MiB"}, {"0", "1B", "257MiB", "100", "1mb", "MiB", "1.5MiB"}},
      {"engine: {prompt_chunk: @}", {"1", "4096"}, {"0", "4097"}},
      {"classifier: {entropy_threshold: @}", {"0", "1.25", "20"}, {"-0.1", "20.5", "nan", "inf", "'1,5'", "high"}},
      {"cache: {memory: @}", {"0", "1MiB", "1024GiB"}, {"1025GiB", "64", "1KiB", "-1MiB", "99999999999GiB"}},
      {"cache: {ttl: @}", {"1s", "8760h", "1500ms"}, {"0", "999ms", "8761h", "10", "1d", "1.5h"}},
      {"limits: {in_flight: @}", {"1", "1000000"}, {"0", "1000001"}},
      {"limits: {max_deadline: @}", {"100ms", "24h"}, {"99ms", "25h", "0s"}},
  };
  for (const auto& [line, right, wrong] : cases) {
    const std::size_t column = line.find('@');
    auto problems = [&, &line = line](const std::string& value) {
      std::string text = line;
      text.replace(column, 1, value);
      // The engine section is there already.
      return line.starts_with("engine")
                 ? Problems(ParseWith(text + "\nexperts: {far: {openai: {url: 'https://a', model: m}}}\n" +
                                      "policies: {all: {score: pinned, experts: [far]}}\n"))
                 : With(text + "\n");
    };
    const std::string place = (line.starts_with("engine") ? "1:" : "4:") + std::to_string(column + 1) + ": ";
    for (const std::string& value : right) EXPECT_EQ(problems(value), "") << line << " " << value;
    for (const std::string& value : wrong)
      EXPECT_THAT(problems(value), ::testing::StartsWith(place)) << line << " " << value;
  }
}

TEST(Sampling, HasTheRangesOfTheApi) {
  const std::vector<std::tuple<std::string, std::vector<std::string>, std::vector<std::string>>> cases = {
      {"temperature", {"0", "2"}, {"-0.1", "2.1"}},
      {"top_p", {"0.001", "1"}, {"0", "1.1"}},
      {"min_p", {"0", "1"}, {"-1", "2"}},
      {"top_k", {"0", "40"}, {"-1", "0.5"}},
      {"max_tokens", {"1", "4096"}, {"0", "4097"}},  // the context is 4096
      {"frequency_penalty", {"-2", "2"}, {"-2.1", "2.1"}},
      {"presence_penalty", {"-2", "2"}, {"-2.1", "2.1"}},
      {"repeat_penalty", {"0.5", "2"}, {"0", "2.1"}},
      {"seed", {"0", "18446744073709551615"}, {"-1", "18446744073709551616"}},
      {"stop", {"[]", "[a, b]"}, {"a", "['']", "[[a]]", "{a: b}"}},
  };
  for (const auto& [key, right, wrong] : cases) {
    for (const std::string& value : right) {
      EXPECT_EQ(WithExpert("{local: {model: small}, sampling: {" + key + ": " + value + "}}"), "")
          << key << " " << value;
    }
    for (const std::string& value : wrong) {
      EXPECT_THAT(WithExpert("{local: {model: small}, sampling: {" + key + ": " + value + "}}"),
                  HasSubstr("experts.tiny.sampling"))
          << key << " " << value;
    }
  }
  std::string many = "[a";
  for (int i = 0; i < 16; ++i) many += ", a";
  EXPECT_THAT(WithExpert("{local: {model: small}, sampling: {stop: " + many + "]}}"), HasSubstr("has 17 items"));
}

TEST(Experts, HaveOneBackend) {
  EXPECT_EQ(WithExpert("{system: hello}"),
            "2:11: experts.tiny: has no backend (give it local: {model: ...}, openai: {url: ..., model: ...} or "
            "zero_cost: {kind: ...})\n");
  EXPECT_EQ(WithExpert("{local: {model: small}, openai: {url: 'https://a', model: m}}"),
            "2:11: experts.tiny: has more than one of local, openai and zero_cost (an expert has one backend)\n");
}

TEST(Experts, CannotHaveMoreContextThanTheirModel) {
  EXPECT_EQ(WithExpert("{local: {model: small}, context: 4096}"), "");
  EXPECT_EQ(WithExpert("{local: {model: small}, context: 5000}"),
            "2:50: experts.tiny.context: is 5000, and its model small has 4096 (lower it, or raise "
            "engine.models.small.context)\n");
}

TEST(Experts, SayWhatTheyCanDo) {
  EXPECT_EQ(WithExpert("{local: {model: small}, capabilities: []}"), "");
  EXPECT_THAT(WithExpert("{local: {model: small}, capabilities: [images]}"),
              HasSubstr("local experts cannot use images"));
  EXPECT_THAT(WithExpert("{local: {model: small}, capabilities: [grammer]}"), HasSubstr("did you mean \"grammar\"?"));
  EXPECT_THAT(WithExpert("{local: {model: small}, capabilities: [logprobs, logprobs]}"), HasSubstr("is there twice"));
  EXPECT_THAT(WithExpert("{local: {model: small}, capabilities: tools}"), HasSubstr("it must be a list"));
}

TEST(Experts, PricesAreWhole) {
  EXPECT_THAT(WithExpert("{local: {model: small}, price: {input: 1}}"), HasSubstr("has no \"output\""));
  EXPECT_THAT(WithExpert("{local: {model: small}, price: {input: -1, output: 0}}"),
              HasSubstr("2:56: experts.tiny.price.input: is \"-1\" (it must be a number from 0 to 1000000)"));
  EXPECT_THAT(WithExpert("{local: {model: small}, price: 3}"), HasSubstr("it must be a map"));
  EXPECT_THAT(WithExpert("{local: {model: small}, parameters: 0}"), HasSubstr("above 0"));
  EXPECT_THAT(WithExpert("{local: {model: small}, latency: 0}"), HasSubstr("experts.tiny.latency"));
}

TEST(Experts, NamesAreLimited) {
  const std::string rest = "{openai: {url: 'https://a', model: m}}";
  const std::string ends = "policies: {all: {score: pinned, experts: [ok]}}\n";
  for (const std::string& name :
       {std::string("'a b'"), std::string("a/b"), std::string("''"), std::string(65, 'a'), std::string("ä")}) {
    EXPECT_THAT(Problems(ParseWith("experts: {ok: " + rest + ", " + name + ": " + rest + "}\n" + ends)),
                HasSubstr("cannot be the name of an expert"))
        << name;
  }
  EXPECT_EQ(Problems(ParseWith("experts: {ok: " + rest + ", " + std::string(64, 'a') + ": " + rest +
                               ", A-b_c.9: " + rest + "}\n" + ends)),
            "");
}

TEST(OpenAi, TheUrlIsABaseAddress) {
  auto problems = [](const std::string& url) { return WithExpert("{openai: {url: '" + url + "', model: m}}"); };
  EXPECT_EQ(problems("http://localhost:8000/v1//"), "");
  EXPECT_EQ(problems("https://[::1]:8000"), "");
  EXPECT_THAT(problems("api.openai.com/v1"), HasSubstr("does not begin with https://"));
  EXPECT_THAT(problems("ftp://a"), HasSubstr("does not begin with https://"));
  EXPECT_THAT(problems("https://"), HasSubstr("url"));
  EXPECT_THAT(problems("https:///v1"), HasSubstr("has no host"));
  EXPECT_THAT(problems("https://a/v1/chat/completions"), HasSubstr("leave that out"));
  EXPECT_THAT(problems("https://a/v1?key=1"), HasSubstr("query"));
  EXPECT_THAT(problems("https://me:secret@a/v1"), HasSubstr("user name or password"));
  EXPECT_THAT(problems("https://a /v1"), HasSubstr("spaces"));
  EXPECT_THAT(WithExpert("{openai: {model: m}}"), HasSubstr("2:18: experts.tiny.openai: has no \"url\""));
  EXPECT_THAT(WithExpert("{openai: {url: 'https://a'}}"), HasSubstr("has no \"model\""));
  EXPECT_THAT(WithExpert("{openai: {url: 'https://a', model: m, max_tokens_field: tokens}}"),
              HasSubstr("one of max_tokens, max_completion_tokens"));
}

TEST(OpenAi, HeadersCarryNoSecretsAndNoneOfOurs) {
  auto problems = [](const std::string& header) {
    return WithExpert("{openai: {url: 'https://a', model: m, headers: {" + header + "}}}", {{"SET", "value"}});
  };
  EXPECT_EQ(problems("x-team: blue, api-key: {env: SET}, x-other: {env: SET}"), "");
  EXPECT_THAT(problems("api-key: literal"), HasSubstr("secrets are not written"));
  EXPECT_THAT(problems("api-key: literal"), Not(HasSubstr("literal")));
  EXPECT_THAT(problems("Authorization: Bearer x"), HasSubstr("use openai.key"));
  EXPECT_THAT(problems("Content-Type: text/plain"), HasSubstr("set by Pointsman itself"));
  EXPECT_THAT(problems("'a b': c"), HasSubstr("not the name of an HTTP header"));
  EXPECT_THAT(problems("x-a: \"b\\r\\nx-evil: 1\""), HasSubstr("characters that no header may have"));
}

TEST(Secrets, ComeFromTheEnvironmentOrAFile) {
  testing::TempDir dir;
  auto problems = [](const std::string& key, bool require = true) {
    return Problems(ParseWith(kBase + "tenants: {a: {key: " + key + "}}\n",
                              {{"SET", "value"}, {"EMPTY", ""}, {"SPACE", "a b"}, {"LONG", std::string(8193, 'x')}},
                              require));
  };
  EXPECT_EQ(problems("{env: SET}"), "");
  EXPECT_EQ(problems("{env: UNSET}"),
            "4:26: tenants.a.key.env: the environment variable UNSET is not set (export it before the start)\n");
  EXPECT_EQ(problems("{env: UNSET}", false), "") << "a check where the secrets are not";
  EXPECT_THAT(problems("{env: EMPTY}"), HasSubstr("EMPTY is empty"));
  EXPECT_THAT(problems("{env: SPACE}"), HasSubstr("SPACE has spaces"));
  EXPECT_THAT(problems("{env: LONG}"), HasSubstr("longer than 8192"));
  EXPECT_THAT(problems("{env: sk-1234}"), HasSubstr("is not the name of an environment variable"));
  EXPECT_THAT(problems("{env: sk-1234}"), Not(HasSubstr("1234")));
  EXPECT_THAT(problems("{}"), HasSubstr("names no source"));
  EXPECT_THAT(problems("{env: SET, file: x}"), HasSubstr("has both env and file"));
  EXPECT_THAT(problems("{enf: SET}"), HasSubstr("tenants.a.key.enf: is not a known key"));
  EXPECT_THAT(problems("12345"), HasSubstr("secrets are not written"));
  EXPECT_THAT(problems("[12345]"), HasSubstr("secrets are not written"));
  EXPECT_THAT(problems("{file: /nowhere/key}"), HasSubstr("4:27: tenants.a.key.file: cannot open /nowhere/key"));
  EXPECT_EQ(problems("{file: /nowhere/key}", false), "");
  EXPECT_THAT(problems("{file: " + dir.path().string() + "}"), HasSubstr("is a folder"));
  EXPECT_EQ(problems("{file: " + dir.Write("good", "value\r\n").string() + "}"), "");
  EXPECT_THAT(problems("{file: " + dir.Write("empty", "\n").string() + "}"), HasSubstr("is empty"));
  EXPECT_THAT(problems("{file: " + dir.Write("large", std::string(70'000, 'x')).string() + "}"),
              HasSubstr("is larger than"));
}

TEST(Policies, NameWhatTheyNeed) {
  EXPECT_EQ(WithPolicies("policies: {p: {}}\n"),
            "3:12: policies.p: has no \"score\" (it is required: how experts are scored: category_map, predictor, "
            "gates, pinned or random)\n");
  EXPECT_THAT(WithPolicies("policies: {p: {score: chance}}\n"),
              HasSubstr("it must be one of category_map, predictor, gates, pinned, random"));
  EXPECT_THAT(WithPolicies("policies: {p: {score: random}}\n"), HasSubstr("has no \"experts\""));
  EXPECT_THAT(WithPolicies("policies: {p: {score: pinned}}\n"), HasSubstr("has no \"experts\""));
  EXPECT_THAT(WithPolicies("policies: {p: {score: category_map}}\n"), HasSubstr("has no \"map\""));
  EXPECT_THAT(WithPolicies("policies: {p: {score: category_map, map: {math: [far]}}}\n"),
              HasSubstr("has no \"general\""));
  EXPECT_THAT(WithPolicies("policies: {p: {score: pinned, experts: [far], map: {general: [far]}}}\n"),
              HasSubstr("policies.p.map: belongs to score: category_map"));
  EXPECT_THAT(WithPolicies("policies: {p: {score: category_map, experts: [far], map: {general: [far]}}}\n"),
              HasSubstr("policies.p.experts: belongs to score: pinned"));
  EXPECT_THAT(WithPolicies("policies: {p: {score: pinned, experts: []}}\n"), HasSubstr("has 0 items"));
  EXPECT_THAT(WithPolicies("policies: {p: {score: pinned, experts: [far, far]}}\n"),
              HasSubstr("3:46: policies.p.experts[1]: "));
  EXPECT_THAT(WithPolicies("policies: {p: {score: pinned, experts: [zebra]}}\n"), HasSubstr("experts: tiny, far"));
  EXPECT_THAT(WithPolicies("policies: {p: {score: pinned, experts: [far], run: cascade}}\n"),
              HasSubstr("has no \"cascade\""));
  EXPECT_THAT(WithPolicies("policies: {p: {score: category_map, map: {general: [far], \"a\\nb\": [far]}}}\n"),
              HasSubstr("cannot be a category"));
}

TEST(Policies, OneOfSeveralIsTheDefault) {
  const std::string two = "policies: {a: {score: pinned, experts: [far]}, b: {score: pinned, experts: [tiny]}}\n";
  EXPECT_EQ(WithPolicies(two),
            "1:1: default_policy: is missing (there are several policies: name the one for requests that name none)\n");
  EXPECT_EQ(WithPolicies(two + "default_policy: b\n"), "");
  EXPECT_EQ(WithPolicies(two + "default_policy: zebra\n"),
            "4:17: default_policy: there is no policy \"zebra\" (policies: a, b)\n");
}

TEST(Tenants, HaveKeysOfTheirOwn) {
  EXPECT_EQ(With("tenants:\n  a: {key: {env: A}}\n  b: {key: {env: B}}\n", {{"A", "same"}, {"B", "same"}}),
            "6:7: tenants.b.key: is also the key of the tenant a (every tenant needs its own)\n");
  EXPECT_EQ(With("tenants:\n  a: {key: {env: A}}\n  a: {key: {env: B}}\n", {{"A", "one"}, {"B", "two"}}),
            "6:3: tenants.a: is there twice (keep one of them)\n");
  EXPECT_THAT(With("tenants: {}\n"), HasSubstr("is empty: nobody could ask"));
}

TEST(Models, SayWhatTheyAre) {
  auto problems = [](const std::string& model) {
    return Problems(ParseWith("engine: {models: {small: " + model + "}}\n" + kExperts + kPolicies));
  };
  EXPECT_EQ(problems("{file: a.gguf}"), "");
  EXPECT_THAT(problems("{file: a.gguf, sha256: abc}"), HasSubstr("is not a SHA-256 sum"));
  EXPECT_THAT(problems("{file: a.gguf, slots: 65}"), HasSubstr("from 1 to 64"));
  EXPECT_THAT(problems("{file: [a.gguf]}"), HasSubstr("is a list (it must be text)"));
  EXPECT_THAT(problems("a.gguf"), HasSubstr("is text (it must be a map, key: value)"));
  EXPECT_THAT(problems("{file: a.gguf, kind: picture}"), HasSubstr("kind"));
}

TEST(Models, AnEncoderHasItsOwnDefaultsAndAnswersNobody) {
  const std::string engine = "engine: {models: {small: {file: a.gguf}, minilm: {kind: encoder, file: b.gguf}}}\n";
  const Parsed parsed = ParseWith(engine + kExperts + kPolicies);
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const Model& model = *parsed.config->FindModel("minilm");
  EXPECT_EQ(model.kind, ModelKind::kEncoder);
  EXPECT_EQ(model.context, 256u);
  EXPECT_EQ(model.slots, 16u);
  EXPECT_EQ(parsed.config->FindModel("small")->context, 2048u);
  EXPECT_THAT(Problems(ParseWith(engine + "experts: {tiny: {local: {model: minilm}}}\n" +
                                 "policies: {all: {score: pinned, experts: [tiny]}}\n")),
              HasSubstr("is an encoder: it cannot answer"));
  EXPECT_THAT(Problems(ParseWith("engine: {models: {small: {file: a.gguf}, e: {kind: encoder, file: b.gguf, "
                                 "chat_template: x}}}\n" +
                                 kExperts + kPolicies)),
              HasSubstr("an encoder does not answer"));
}

TEST(EncoderLane, NeedsAnEncoderAndAHead) {
  const std::string engine = "engine: {models: {small: {file: a.gguf}, minilm: {kind: encoder, file: b.gguf}}}\n";
  const auto parse = [&](const std::string& lane) {
    return ParseWith(engine + kExperts + kPolicies + "classifier: {encoder: " + lane + "}\n");
  };
  const Parsed parsed = parse("{model: minilm, head: h.pmh, share: 0.1, timeout: 20ms}");
  ASSERT_TRUE(parsed.ok()) << Problems(parsed);
  const EncoderLane& lane = *parsed.config->classifier.encoder;
  EXPECT_EQ(lane.model, "minilm");
  EXPECT_EQ(lane.head, "/etc/pointsman/h.pmh");
  EXPECT_EQ(lane.share, 0.1);
  EXPECT_EQ(lane.timeout, std::chrono::milliseconds(20));
  const Parsed shortest = parse("{model: minilm, head: h.pmh}");
  ASSERT_TRUE(shortest.ok());
  EXPECT_EQ(shortest.config->classifier.encoder->share, 0.2);
  EXPECT_EQ(shortest.config->classifier.encoder->timeout, std::chrono::milliseconds(50));
  EXPECT_FALSE(ParseWith(kBase).config->classifier.encoder);
  EXPECT_THAT(Problems(parse("{model: small, head: h.pmh}")), HasSubstr("there is no encoder \"small\""));
  EXPECT_THAT(Problems(parse("{model: minilmm, head: h.pmh}")), HasSubstr("did you mean \"minilm\"?"));
  EXPECT_THAT(Problems(parse("{model: minilm}")), HasSubstr("has no \"head\""));
  EXPECT_THAT(Problems(parse("{head: h.pmh}")), HasSubstr("has no \"model\""));
  EXPECT_THAT(Problems(parse("{model: minilm, head: h.pmh, share: 0}")), HasSubstr("classifier.encoder.share"));
  EXPECT_THAT(Problems(parse("{model: minilm, head: h.pmh, share: 1.5}")), HasSubstr("classifier.encoder.share"));
  EXPECT_THAT(Problems(parse("{model: minilm, head: h.pmh, timeout: 11s}")), HasSubstr("classifier.encoder.timeout"));
}

}  // namespace
}  // namespace pointsman::config
