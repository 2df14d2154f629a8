// The sections server, limits, telemetry, cache and classifier.
#include <algorithm>

#include "config/address.h"
#include "config/mapping.h"
#include "config/names.h"
#include "config/sections.h"

namespace pointsman::config {

using std::chrono::milliseconds;

std::filesystem::path Resolve(const std::filesystem::path& folder, const std::string& path) {
  return (folder / path).lexically_normal();
}

void ReadServer(const Value& value, const std::filesystem::path& folder, Server& server) {
  Section section(value);
  const Value listen = section.Take("listen"), metrics = section.Take("metrics"), tls = section.Take("tls");
  Set(server.insecure, section.Take("insecure").Bool());
  Set(server.shards, section.Take("shards").Number<unsigned>(0, 256, "event loops; 0 = one per core"));
  Set(server.max_message_bytes, section.Take("max_message").Size(std::size_t{1} << 10, std::size_t{256} << 20));
  if (tls.present()) {
    server.tls.emplace();
    Section files(tls);
    auto certificate = files.Require("certificate", "the PEM file of the certificate chain").Text(1, 4096);
    auto key = files.Require("key", "the PEM file of the private key").Text(1, 4096);
    files.Finish();
    if (certificate) server.tls->certificate = Resolve(folder, *certificate);
    if (key) server.tls->key = Resolve(folder, *key);
  }
  section.Finish();

  if (auto text = listen.Text(1, 256)) {
    server.listen = *text;
    if (auto checked = CheckListen(*text, server); !checked) listen.Fail(checked.error().message);
  }
  if (auto text = metrics.Text(0, 256)) {
    server.metrics = *text == "off" ? "" : *text;
    if (!server.metrics.empty()) {
      if (auto address = ParseAddress(server.metrics); !address) metrics.Fail(address.error().message + ", or off");
    }
  }
}

void ReadLimits(const Value& value, Limits& limits) {
  Section section(value);
  Set(limits.in_flight, section.Take("in_flight").Number<unsigned>(1, 1'000'000, "requests"));
  Set(limits.max_deadline, section.Take("max_deadline").Duration(milliseconds(100), std::chrono::hours(24)));
  section.Finish();
}

void ReadTelemetry(const Value& value, Telemetry& telemetry) {
  Section section(value);
  Set(telemetry.log_level, section.Take("log_level").Choice({"trace", "debug", "info", "warn", "error", "off"}));
  if (auto format = section.Take("log_format").Choice({"human", "json"})) {
    telemetry.log_format = *format == "human" ? LogFormat::kHuman : LogFormat::kJson;
  }
  Set(telemetry.log_prompts, section.Take("log_prompts").Bool());
  section.Finish();
}

namespace {

void ReadRedis(const Value& value, const SecretSources& secrets, Redis& redis) {
  Section section(value);
  const Value addresses = section.Require("addresses", "host:port of the server, or of the Sentinels");
  if (auto items = addresses.List(1, 32)) {
    for (const Value& item : *items) {
      auto text = item.Text(1, 256);
      if (!text) continue;
      auto address = ParseAddress(*text);
      if (!address) {
        item.Fail(address.error().message);
      } else if (address->port == 0) {
        item.Fail("has the port 0 (6379 is the usual one)");
      } else {
        redis.addresses.push_back({address->host, address->port});
      }
    }
  }
  if (auto sentinel = section.Take("sentinel").Text(1, 256)) redis.sentinel = *sentinel;
  const Value cluster = section.Take("cluster");
  Set(redis.cluster, cluster.Bool());
  if (redis.cluster && redis.sentinel) cluster.Fail("excludes `sentinel`: a cluster looks after its masters itself");
  const Value username = section.Take("username"), password = section.Take("password");
  Set(redis.username, username.Text(1, 256));
  if (auto secret = ReadSecret(password, secrets)) redis.password = secret->value;
  if (username.present() && !password.present()) username.Fail("needs a password");
  const Value database = section.Take("database");
  Set(redis.database, database.Number<unsigned>(0, 10'000, "the number of a database"));
  if (redis.cluster && redis.database != 0) database.Fail("must be 0: a cluster has no other database");
  Set(redis.prefix, section.Take("prefix").Text(1, 64));
  Set(redis.timeout, section.Take("timeout").Duration(milliseconds(1), std::chrono::seconds(1)));
  section.Finish();
}

}  // namespace

void ReadCache(const Value& value, const SecretSources& secrets, Cache& cache) {
  Section section(value);
  const Value memory = section.Take("memory"), redis = section.Take("redis"), secret = section.Take("secret");
  if (auto bytes = memory.Size(0, std::size_t{1} << 40)) {
    cache.memory_bytes = *bytes;
    constexpr std::size_t kLeast = std::size_t{1} << 20;
    if (*bytes > 0 && *bytes < kLeast) memory.Fail("is too small to hold answers (0 = off, or at least 1MiB)");
  }
  if (auto ttl = section.Take("ttl").Duration(kShortestTtl, kLongestTtl)) {
    cache.ttl = std::chrono::ceil<std::chrono::seconds>(*ttl);
  }
  if (redis.present()) ReadRedis(redis, secrets, cache.redis.emplace());
  if (auto found = ReadSecret(secret, secrets)) {
    cache.secret = found->value;
    constexpr std::size_t kLeast = 16;
    if (!cache.secret.empty() && cache.secret.size() < kLeast) {
      secret.Fail("is too short: 16 bytes or more, as `openssl rand -hex 32` makes them");
    }
  }
  if (redis.present() && !secret.present()) {
    redis.Fail(
        "needs cache.secret, equal on all replicas: the cache's keys are hashed with it, so that nobody who can "
        "write to Redis can aim at a tenant's answers");
  }
  section.Finish();
}

namespace {

void ReadEncoderLane(const Value& value, const Engine& engine, const std::filesystem::path& folder, EncoderLane& lane) {
  Section section(value);
  const Value model = section.Require("model", "a model under engine.models of kind encoder");
  if (auto name = model.Text(1, 256)) {
    lane.model = *name;
    auto found =
        std::find_if(engine.models.begin(), engine.models.end(), [&](const Model& m) { return m.name == *name; });
    if (found == engine.models.end() || found->kind != ModelKind::kEncoder) {
      std::vector<std::string_view> known;
      for (const Model& each : engine.models) {
        if (each.kind == ModelKind::kEncoder) known.push_back(each.name);
      }
      model.Fail("there is no encoder " + Quote(*name) + " (" +
                 Suggest(*name, known, "models under engine.models of kind encoder") + ")");
    }
  }
  if (auto head = section.Require("head", "what `pointsman train encoder` wrote").Text(1, 4096)) {
    lane.head = Resolve(folder, *head);
  }
  Set(lane.share, section.Take("share").Real({.min = 0, .max = 1, .min_itself = false}));
  Set(lane.timeout, section.Take("timeout").Duration(milliseconds(1), std::chrono::seconds(10)));
  section.Finish();
}

}  // namespace

void ReadClassifier(const Value& value, const Engine& engine, const std::filesystem::path& folder,
                    Classifier& classifier) {
  Section section(value);
  if (auto artifact = section.Take("artifact").Text(1, 4096)) classifier.artifact = Resolve(folder, *artifact);
  Set(classifier.entropy_threshold, section.Take("entropy_threshold").Real({0, 20}));
  Set(classifier.history, section.Take("history").Real({0, 1}));
  Set(classifier.system, section.Take("system").Real({0, 1}));
  if (const Value encoder = section.Take("encoder"); encoder.present()) {
    ReadEncoderLane(encoder, engine, folder, classifier.encoder.emplace());
  }
  section.Finish();
}

}  // namespace pointsman::config
