// tests/scripts/lint_samples/bad.cc: not built. Each line marked `finds` must be found by `scripts/lint coroutines`.
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

Awaitable<int> Bad(std::string text) {
  int sum = co_await Run([text] { return static_cast<int>(text.size()); });               // finds
  if (int more = co_await Run([copy = text] { return static_cast<int>(copy.size()); })) {  // finds
    sum += more;
  }
  sum += co_await With({.tries = 2, .name = text});         // finds
  sum += co_await With(Options{.tries = 3, .name = text});  // finds
  sum += co_await Sum({1, 2, 3});                           // finds
  co_return co_await With(Options()) ? std::string("long").size() : text.size();  // finds
}

}  // namespace pointsman
