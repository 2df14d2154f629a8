// tests/scripts/lint_samples/good.cc: not built. The same work as bad.cc, with everything named before its co_await:
// `scripts/lint coroutines` finds nothing here.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"

namespace pointsman {

struct Options {
  int tries = 1;
  std::string name;
};

Awaitable<int> Run(std::function<int()> body) { co_return body(); }
Awaitable<int> With(Options options) { co_return options.tries; }
Awaitable<int> Sum(std::vector<int> numbers) { co_return static_cast<int>(numbers.size()); }
Options Defaults(std::string name) { return {.tries = 2, .name = std::move(name)}; }

Awaitable<int> Good(std::string text) {
  auto body = [text] { return static_cast<int>(text.size()); };
  int sum = co_await Run(std::move(body));
  Options options{.tries = 3, .name = text};
  sum += co_await With(std::move(options));
  sum += co_await With(Defaults(text));  // an aggregate that a function returns is no trouble
  std::vector<int> numbers{1, 2, 3};
  sum += co_await Sum(std::move(numbers));
  co_return sum;
}

}  // namespace pointsman
