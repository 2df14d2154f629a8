// config/config.h: what the YAML file says, as validated, immutable data. Parse (config/parse.h) is the only maker: a
// Config that exists is valid. Any thread may read it. The reference of every key is docs/configuration.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/problem.h"

namespace pointsman::config {

struct Tls {
  std::filesystem::path certificate;  // PEM chain
  std::filesystem::path key;          // PEM
};

struct Server {
  std::string listen = "127.0.0.1:50051";  // host:port; port 0 = any free one
  bool insecure = false;                   // allow a non-loopback address without TLS
  std::optional<Tls> tls;
  std::string metrics = "127.0.0.1:9464";  // host:port of the Prometheus page; "" = off
  unsigned shards = 0;                     // event loops; 0 = one per core
  std::size_t max_message_bytes = std::size_t{20} << 20;
};

enum class ModelKind {
  kText,     // answers; experts use it
  kEncoder,  // turns texts into vectors; the classifier's encoder lane uses it
};

// One loaded copy of a GGUF file in the engine worker; several experts may share it.
struct Model {
  std::string name;
  ModelKind kind = ModelKind::kText;
  std::filesystem::path file;  // absolute after parsing
  std::string sha256;          // 64 hex digits, checked at load; "" = not checked
  unsigned context = 2048;     // tokens a slot, prompt and answer together; of an encoder: that are read of a text
  unsigned slots = 4;          // requests decoded (of an encoder: texts encoded) together, 1 to 64
  unsigned threads = 0;        // compute threads a step; 0 = all cores but never more than the permits allow
  unsigned queue = 64;         // requests (of an encoder: texts) that may wait for a slot
  std::string chat_template;   // Jinja text that replaces the model's own; "" = the model's own

  // Sets `kind` and the defaults that go with it: an encoder reads 256 tokens a text, encodes up to 16 texts together
  // and lets 256 wait.
  void SetKind(ModelKind new_kind);
};

struct Engine {
  std::vector<Model> models;
  unsigned prompt_chunk = 128;  // prompt tokens a step at most: bounds how long a cancelled request holds its slot
};

// Sampling defaults of an expert; what a request leaves unset. Meanings and ranges as in chat.proto.
struct SamplingDefaults {
  std::optional<double> temperature, top_p, min_p, frequency_penalty, presence_penalty, repeat_penalty;
  std::optional<unsigned> top_k, max_tokens;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> stop;
};

// Bits of what an expert can do and a request may need.
enum Capability : std::uint32_t {
  kTools = 1u << 0,
  kImages = 1u << 1,
  kJsonSchema = 1u << 2,
  kGrammar = 1u << 3,
  kLogprobs = 1u << 4,
};
using Capabilities = std::uint32_t;
inline constexpr Capability kAllCapabilities[] = {kTools, kImages, kJsonSchema, kGrammar, kLogprobs};
std::string_view Name(Capability capability);  // "tools", "images", "json_schema", "grammar", "logprobs"

// An expert of the local engine.
struct LocalBackend {
  std::string model;  // names an Engine model
};

// An expert behind any OpenAI-compatible server.
struct OpenAiBackend {
  std::string url;                             // https://host/v1, without trailing '/'
  std::string model;                           // by the server's name
  std::string key;                             // resolved secret; "" = none is sent
  std::string key_source;                      // "environment variable X" or "file F", for messages
  std::map<std::string, std::string> headers;  // sent with every request
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds first_byte_timeout{60'000};  // from sending to the first byte of the answer
  std::chrono::milliseconds idle_timeout{30'000};        // between two reads of a streamed answer
  std::string max_tokens_field = "max_tokens";           // or "max_completion_tokens"
};

// Experts that cost nothing and compete for requests like models (MoE++, arXiv 2410.07348, section 3.1; AdaMoE, arXiv
// 2406.13233, section 3.2).
enum class ZeroCost {
  kRefuse,  // says no, with a text
  kCanned,  // a text with slots
  kCopy,    // the stored answer whose question is nearest to the request
  kNull,    // nobody: takes a place among those who are selected, so that fewer models are asked
};

struct ZeroCostBackend {
  ZeroCost kind = ZeroCost::kRefuse;
  std::string text = {};  // kRefuse and kCanned; of kCanned {category}, {expert}, {probability} are filled in
  std::filesystem::path answers = {};  // kCopy: JSON lines {"question": ..., "answer": ...}
  double similarity = 0.9;             // kCopy: least cosine of the question with the request, (0, 1]
  std::optional<double> score = {};    // for scorers that know nothing of this expert
};

struct Price {
  double input = 0, output = 0;  // US dollars per million tokens, >= 0
};

struct Expert {
  std::string name;
  std::string description;
  std::variant<LocalBackend, OpenAiBackend, ZeroCostBackend> backend;
  std::string system;  // system prompt when the request has none; "" = none
  SamplingDefaults sampling;
  Capabilities capabilities = 0;
  unsigned context = 0;              // tokens; 0 = not known
  std::optional<double> parameters;  // active, in billions
  std::optional<Price> price;
  std::optional<double> energy;                      // joules per thousand tokens, prompt and answer
  std::optional<std::chrono::milliseconds> latency;  // to the first token, as the operator knows it

  const ZeroCostBackend* zero_cost() const { return std::get_if<ZeroCostBackend>(&backend); }
};

// Experts by their places in Config::experts.
using Experts = std::vector<std::size_t>;

// The second opinion for requests of which the classifier is least sure.
struct EncoderLane {
  std::string model;                      // names an Engine model of kind encoder
  std::filesystem::path head;             // what `pointsman train encoder` wrote
  double share = 0.2;                     // of the classified requests that may be escalated, in (0, 1]
  std::chrono::milliseconds timeout{50};  // after it the classifier's own answer stands
};

struct Classifier {
  std::filesystem::path artifact;           // "" = the one that is installed with the program
  std::optional<double> entropy_threshold;  // nats; default: the artifact's own
  double history = 0.7, system = 0.3;       // how probably a last turn is about what these are about, [0, 1]
  std::optional<EncoderLane> encoder;       // none = off
};

// Who answers where no category is certain (evidence.h: uncertain, and not foreign).
enum class Uncertain {
  kExpectation,  // the best over the whole distribution of categories
  kGeneral,      // the experts of `general`: the robust variant of arXiv 2412.01868
};

// Category to experts in fallback order; `general` is required and serves every category that is not named.
struct CategoryMap {
  std::map<std::string, Experts> experts;
  // From a map file: what each expert is worth in each category, its mean score less what the map's limits charge for
  // it. By the catalogue's order; NaN for experts that the map does not use. Empty for a map written by hand.
  std::map<std::string, std::vector<double>> worth = {};
  Uncertain uncertain = Uncertain::kExpectation;
};

// Always the same experts, in fallback order.
struct Pinned {
  Experts experts;
};

// Uniformly at random: the honest control arm, and unbiased data (THOR, arXiv 2110.04260, section 3.1).
struct Random {
  Experts experts;
};

// How an expert's gate scores a request (router/classifier/expert_gates.h has the formulas).
struct Gates {
  std::map<std::size_t, std::filesystem::path> files;  // expert -> what `pointsman train gate` wrote for it
  std::string form;                                    // "" = the default
  // How much of a conversation's earlier scores stays: score_t = gate(turn t) + carry * score_(t-1), [0, 1) (the gating
  // residual of MoE++, arXiv 2410.07348, equation 7).
  double carry = 0;
};

// What of an expert counts against its predicted quality.
enum class Cost {
  kPrice,       // what the request would cost, in US dollars
  kParameters,  // active parameters, in billions
};

// Two experts, and how often the stronger one may be called.
struct Pair {
  std::size_t weak = 0, strong = 0;
  double strong_share = 0;  // of the requests, [0, 1]
};

// The expert of the best predicted quality, less its cost; or one of a pair.
struct Predicted {
  std::filesystem::path artifact;  // that `pointsman train predictor` wrote
  double lambda = 0;               // quality that one unit of cost must bring, >= 0
  Cost cost = Cost::kPrice;
  std::optional<Pair> pair;  // then lambda is 0
};

enum class Select {
  kBest,  // the best scored one
  kTopK,  // the k best
  kTopP,  // the smallest set that reaches a probability (arXiv 2403.07652, section 3.1)
};

// How many are selected. Scores become probabilities first: as they are where they are shares (a category map written
// by hand), else by a softmax of score / temperature.
struct Selection {
  Select rule = Select::kBest;
  unsigned k = 2;                      // kTopK: >= 1
  double mass = 0.4;                   // kTopP: (0, 1]; where the controller begins, when there is one
  unsigned most = 3;                   // kTopP: cap, >= 1
  std::optional<double> mean_experts;  // kTopP: a controller moves the mass so that so many are asked on average
  double temperature = 1;              // > 0
};

// What a selected set may cost together; unset = no ceiling (MoE^2, arXiv 2501.09410: by latency one by one, then a
// knapsack).
struct Budget {
  std::optional<double> price;                       // US dollars a request
  std::optional<double> energy;                      // joules a request
  std::optional<std::chrono::milliseconds> latency;  // of each expert, to the first token
  bool any() const { return price || energy || latency; }
};

// Who must not, who alone may, and who is preferred (Mixture of Tunable Experts, arXiv 2502.11096).
struct Mask {
  Experts deny, require;                              // require: empty = everybody may
  std::vector<std::pair<std::size_t, double>> boost;  // added to the expert's score before it is selected
  bool any() const { return !deny.empty() || !require.empty() || !boost.empty(); }
};

enum class Combine {
  kVote,  // the answer with the most weight behind it; without a common answer as kBest
  kBest,  // the answer of the member with the best score that answered
};

enum class GateRule {
  kThreshold,   // keep the weak answer where the confidence is at least the threshold
  kStochastic,  // keep it with a probability of the confidence (Mowst, arXiv 2311.05185, section 2.2)
  kMixture,     // both answer, the options are weighed by the confidence (Mowst*, same place)
};

// A weak expert that answers first, and the gate that keeps its answer or goes on.
struct Stage {
  std::size_t expert = 0;
  std::filesystem::path gate;          // what `pointsman train cascade` wrote; or, without one,
  std::string signal;                  // a signal that is the confidence itself: policies/gate/cascade_gate.h
  std::optional<double> threshold;     // confidence to keep the answer, [0, 1]; or, of a gate's file,
  std::optional<double> strong_share;  // the share of requests that goes on, [0, 1]; or
  std::optional<double> keep_quality;  // the share of the strong expert's quality that is kept, (0, 1]
  GateRule rule = GateRule::kThreshold;
  unsigned tokens = 16;  // of the weak answer that the gate reads; 0 = all of it
  unsigned samples = 1;  // weak answers that are compared; >= 2 for agreement
};

// What is kept of a policy's answers (docs/cache.md). No answer depends on it: it is left out of
// Config::answers_fingerprint.
struct SemanticCache {
  std::filesystem::path matcher;  // made by `pointsman cache tune`
  double precision = 0.99;        // share of the matches that shall be right
  double audit = 0.01;            // share of the matches that are not used but compared with a fresh answer
  std::uint64_t questions = 50'000;
  bool conversations = false;  // also questions after the first of a conversation, with equal earlier turns
};

struct PolicyCache {
  bool off = false;                         // nothing is kept, and nothing is looked for
  std::optional<std::chrono::seconds> ttl;  // how long an answer may be given again; default: Cache::ttl
  bool sampled = false;  // also answers that are drawn at random, as if each request were `cacheable`
  std::optional<SemanticCache> semantic;
};

using Score = std::variant<CategoryMap, Pinned, Predicted, Gates, Random>;

struct Policy {
  std::string name;
  Score score;
  Selection select = {};
  Mask mask = {};
  Budget budget = {};
  std::optional<std::size_t> otherwise = {};  // the expert for requests that nobody else may answer
  std::optional<Combine> ensemble = {};       // ask all that are selected, and combine; else one after the other
  std::vector<Stage> cascade = {};            // asked one after the other before those that are selected
  PolicyCache cache = {};
};

struct RedisAddress {
  std::string host;
  std::uint16_t port = 6379;
};

// A cache that replicas share.
struct Redis {
  std::vector<RedisAddress> addresses;  // one or more; of the Sentinels, where `sentinel` is set
  std::optional<std::string> sentinel;  // the name of the master that they watch
  bool cluster = false;                 // the addresses are some of a Redis Cluster's
  std::string username, password;       // resolved secret; "" = none
  unsigned database = 0;
  std::string prefix = "pointsman";      // of all keys
  std::chrono::milliseconds timeout{5};  // for a reply; then the request goes on without it
};

struct Cache {
  std::size_t memory_bytes = 0;  // 0 = off
  std::chrono::seconds ttl{3600};
  std::optional<Redis> redis;
  std::string secret;  // resolved; goes into every key. "" = one of this process
};

struct Tenant {
  std::string name;
  std::string key;         // resolved secret
  std::string key_source;  // "environment variable X" or "file F", for messages
  bool admin = false;
  Mask mask = {};
};

struct Limits {
  unsigned in_flight = 1000;                        // requests at once; more get RESOURCE_EXHAUSTED
  std::chrono::milliseconds max_deadline{600'000};  // longer client deadlines, and missing ones, are cut to this
};

enum class LogFormat { kHuman, kJson };

struct Telemetry {
  std::string log_level = "info";  // trace, debug, info, warn, error, off
  LogFormat log_format = LogFormat::kHuman;
  bool log_prompts = false;
};

struct Config {
  std::filesystem::path file;     // where it came from
  std::uint64_t fingerprint = 0;  // of the text that was parsed and its map files; not of secrets and other files
  // The same of what an answer depends on: experts, models, classifier, policies (but for their section `cache`),
  // tenants. Replicas that listen on other ports or log in another form have it in common; so do files that differ in
  // comments and order of keys only.
  std::uint64_t answers_fingerprint = 0;
  Server server;
  Engine engine;
  std::vector<Expert> experts;  // in the file's order; indices are stable inside one Config
  Classifier classifier;
  std::vector<Policy> policies;
  std::string default_policy;
  Cache cache;
  std::vector<Tenant> tenants;  // empty = everybody is the tenant "default" and no key is asked for
  Limits limits;
  Telemetry telemetry;
  // Where each value stands in the file, by its path: "policies.by_topic.map.math", "experts.math.sampling.stop[0]".
  std::map<std::string, Place, std::less<>> places;

  // A problem that was found after parsing, at the place of `path` or of the nearest part of the file that holds it.
  Problem ProblemAt(std::string_view path, std::string message) const;

  // Linear look-ups over short lists; nullptr when there is none.
  const Expert* FindExpert(std::string_view name) const;
  const Policy* FindPolicy(std::string_view name) const;
  const Model* FindModel(std::string_view name) const;
};

}  // namespace pointsman::config
