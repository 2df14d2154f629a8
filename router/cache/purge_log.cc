#include "router/cache/purge_log.h"

#include <array>
#include <charconv>
#include <vector>

namespace pointsman::cache {
namespace {

using redis::Reply;

// Nobody's request waits for these, and a sweep is work for Redis.
constexpr std::chrono::milliseconds kTimeout{1000};
constexpr unsigned kSequenceBits = 20;

// On the server, since in a cluster the keys of one UNLINK must be in one slot. pcall: a slot that is on its way to
// another server, or a read-only server, refuses.
constexpr std::string_view kSweep =
    "local r = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3]) "
    "local gone, refused = 0, '' "
    "for _, key in ipairs(r[2]) do "
    "local n = redis.pcall('UNLINK', key) "
    "if type(n) == 'number' then gone = gone + n else refused = n.err end end "
    "return {r[1], gone, refused}";
constexpr std::string_view kBatch = "512";

std::string LogName(const RedisCache& redis) { return redis.prefix() + ":p"; }

Error Refusal(const Reply& reply) {
  const std::string text = "Redis: " + (reply.text.empty() ? "an answer that nobody expected" : reply.text);
  return reply.IsError("OOM") ? Error(ErrorClass::kRetryElsewhere, Code::kResourceExhausted, text) : Unavailable(text);
}

// [[id, [name, value, ...]], ...]
std::vector<Purges::Logged> LogOf(const Reply& reply) {
  std::vector<Purges::Logged> log;
  for (const Reply& entry : reply.elements) {
    if (entry.elements.size() != 2) continue;
    std::vector<std::string_view> fields;
    for (const Reply& field : entry.elements[1].elements) fields.push_back(field.text);
    log.push_back({PositionOf(entry.elements[0].text), FromFields(fields)});
  }
  return log;
}

// One server.
Awaitable<std::string> SweepMaster(RedisCache& redis, redis::Address master, std::string pattern,
                                   std::uint64_t& entries) {
  std::string cursor = "0";
  do {
    const std::array<std::string_view, 6> sweep = {"EVAL", kSweep, "0", cursor, pattern, kBatch};
    const Result<Reply> reply = co_await redis.client().AskMaster(master, sweep, kTimeout);
    if (!reply) co_return reply.error().message;
    if (reply->kind != Reply::Kind::kArray || reply->elements.size() != 3) co_return Refusal(*reply).message;
    entries += static_cast<std::uint64_t>(reply->elements[1].integer);
    if (!reply->elements[2].text.empty()) co_return "Redis: " + reply->elements[2].text;
    cursor = reply->elements[0].text;
  } while (cursor != "0");
  co_return "";
}

// Those of a purge by questions.
Awaitable<Swept> SweepPlaces(RedisCache& redis, const std::vector<Place>& places) {
  Swept swept;
  for (const Place& place : places) {
    const std::string name = redis.AnswerName(place);
    const std::array<std::string_view, 2> unlink = {"UNLINK", name};
    const Result<Reply> reply = co_await redis.client().Ask(unlink, kTimeout);
    if (reply && reply->kind == Reply::Kind::kInteger) {
      swept.entries += static_cast<std::uint64_t>(reply->integer);
    } else {
      swept.left = reply ? Refusal(*reply).message : reply.error().message;
    }
  }
  co_return swept;
}

}  // namespace

Position PositionOf(std::string_view id) {
  const char* const end = id.data() + id.size();
  Position time = 0, sequence = 0;
  const auto [dash, wrong_time] = std::from_chars(id.data(), end, time);
  if (wrong_time != std::errc() || dash == end || *dash != '-') return 0;
  const auto [last, wrong_sequence] = std::from_chars(dash + 1, end, sequence);
  if (wrong_sequence != std::errc() || last != end || sequence >> kSequenceBits != 0) return 0;
  return time << kSequenceBits | sequence;
}

std::string IdOf(Position position) {
  return std::to_string(position >> kSequenceBits) + "-" +
         std::to_string(position & ((Position{1} << kSequenceBits) - 1));
}

Awaitable<Result<Position>> Announce(RedisCache& redis, const Purge& purge) {
  const std::string log = LogName(redis), most = std::to_string(Purges::kMost);
  const std::vector<std::string> fields = ToFields(purge);
  std::vector<std::string_view> add = {"XADD", log, "MAXLEN", most, "*"};
  add.insert(add.end(), fields.begin(), fields.end());
  const Result<Reply> reply = co_await redis.client().Ask(add, kTimeout);
  if (!reply) co_return reply.error();
  const Position position = reply->kind == Reply::Kind::kText ? PositionOf(reply->text) : 0;
  if (position == 0) co_return Refusal(*reply);
  co_return position;
}

Awaitable<Result<void>> CatchUp(RedisCache& redis, Purges& purges) {
  const std::string log = LogName(redis);
  const Position known = purges.read();
  const std::string since = known == 0 ? "-" : IdOf(known);
  const std::array<std::string_view, 4> range = {"XRANGE", log, since, "+"};
  const Result<Reply> reply = co_await redis.client().Ask(range, kTimeout);
  if (!reply) co_return reply.error();
  if (reply->kind != Reply::Kind::kArray) co_return Refusal(*reply);
  purges.Read(LogOf(*reply), known);
  co_return Result<void>();
}

Awaitable<Swept> Sweep(RedisCache& redis, const Purge& purge, const std::vector<Place>& places) {
  if (!purge.questions.empty()) co_return co_await SweepPlaces(redis, places);
  Swept swept;
  const std::string pattern = PatternOf(purge, redis.prefix());
  const std::vector<redis::Address> masters = redis.client().Masters();
  if (masters.empty()) swept.left = "no master of the cluster is known";
  for (const redis::Address& master : masters) {
    const std::string left = co_await SweepMaster(redis, master, pattern, swept.entries);
    if (!left.empty()) swept.left += (swept.left.empty() ? "" : "; ") + redis::ToString(master) + ": " + left;
  }
  co_return swept;
}

}  // namespace pointsman::cache
