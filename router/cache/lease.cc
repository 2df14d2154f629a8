#include "router/cache/lease.h"

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <utility>

namespace pointsman::cache {
namespace {

// pcall: where Redis is full or read-only, an answer that is there is found all the same.
constexpr std::string_view kFind =
    "local v = redis.call('GET', KEYS[1]) "
    "if v then return v end "
    "local s = redis.pcall('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) "
    "if type(s) == 'table' and s.ok then return 1 end "
    "if s ~= false then return -1 end "
    "local h = redis.call('GET', KEYS[2]) "
    "if not h or string.sub(h, 1, 32) ~= string.sub(ARGV[1], 1, 32) then return 0 end "
    "redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) "
    "return 1";
static_assert(Lease::kOwnerBytes == 32);
constexpr std::string_view kRenew =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";
constexpr std::string_view kRelease =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

void Release(RedisCache& cache, std::string_view name, std::string_view token) {
  const std::array<std::string_view, 5> release = {"EVAL", kRelease, "1", name, token};
  cache.client().Tell(release);
}

// Without a reply nobody knows whether the lease was taken: then it is given back unseen, before others wait for it.
struct Unsure {
  Unsure(RedisCache& c, const std::string& n, const std::string& t) : cache(c), name(n), token(t) {}
  ~Unsure() {
    if (!replied) Release(cache, name, token);
  }
  Unsure(const Unsure&) = delete;
  Unsure& operator=(const Unsure&) = delete;

  RedisCache& cache;
  const std::string& name;
  const std::string& token;
  bool replied = false;
};

}  // namespace

// Its timer's handler holds it: the lease may go first.
struct Lease::Renewal {
  explicit Renewal(Executor executor) : timer(executor) {}

  static void Arm(const std::shared_ptr<Renewal>& self, Lease& lease) {
    self->timer.expires_after(kTime / 3);
    self->timer.async_wait([self, &lease](boost::system::error_code error) {
      if (error || self->ended) return;
      const std::string time = std::to_string(kTime.count());
      const std::array<std::string_view, 6> renew = {"EVAL", kRenew, "1", lease.name_, lease.token_, time};
      lease.cache_.client().Tell(renew);
      Arm(self, lease);
    });
  }

  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer;
  bool ended = false;
};

Lease::Lease(RedisCache& cache, Executor executor, std::string name, std::string token)
    : cache_(cache), name_(std::move(name)), token_(std::move(token)), renewal_(std::make_shared<Renewal>(executor)) {
  Renewal::Arm(renewal_, *this);
}

Lease::~Lease() {
  renewal_->ended = true;
  renewal_->timer.cancel();
  Release(cache_, name_, token_);
}

Awaitable<Lease::Found> Lease::Find(RedisCache& cache, Place place, std::optional<std::chrono::seconds> max_age,
                                    std::string token) {
  Found found;
  if (!cache.client().usable()) co_return found;
  const Executor executor = (co_await asio::this_coro::executor);
  const std::string answer = cache.AnswerName(place), name = cache.LeaseName(place.key);
  const std::string time = std::to_string(kTime.count());
  const std::array<std::string_view, 7> find = {"EVAL", kFind, "2", answer, name, token, time};
  Unsure unsure(cache, name, token);
  const Result<redis::Reply> reply = co_await cache.client().Ask(find);
  if (!reply) co_return found;
  unsure.replied = true;
  if (reply->kind == redis::Reply::Kind::kText) {
    found.entry = cache.Read(reply->text, place, max_age);
  } else if (reply->kind == redis::Reply::Kind::kInteger) {
    found.elsewhere = reply->integer == 0;
    if (reply->integer == 1) found.lease = std::make_unique<Lease>(cache, executor, name, token);
  }
  co_return found;
}

}  // namespace pointsman::cache
