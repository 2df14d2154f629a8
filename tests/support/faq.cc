#include "tests/support/faq.h"

#include <array>
#include <stdexcept>
#include <vector>

#include "router/offline/tune_cache.h"

namespace pointsman::testing {
namespace {

struct Topic {
  const char* answer;
  std::array<const char*, 6> asks;     // how it is asked
  std::array<const char*, 4> objects;  // of what
};

constexpr std::array<Topic, 8> kTopics = {{
    {"delivery_time",
     {"when will {} arrive", "how long does it take until {} is delivered", "what is the delivery time of {}",
      "on which day can I expect {}", "how soon do you deliver {}", "when does {} reach me"},
     {"my order", "the parcel", "my package", "the shipment"}},
    {"return_goods",
     {"how can I return {}", "I want to send {} back", "what do I do to give {} back", "where do I return {}",
      "may I bring back {}", "how do returns of {} work"},
     {"the shoes", "an article", "a product I bought", "this item"}},
    {"pay_by_card",
     {"can I pay by {}", "do you accept {} as payment", "is paying with {} possible", "do you take {}",
      "does your shop support {}", "am I able to pay using {}"},
     {"card", "a credit card", "my bank card", "plastic"}},
    {"change_address",
     {"how do I change {}", "I moved and must update {}", "where can I edit {}", "please correct {}",
      "how can I enter a new one instead of {}", "{} is wrong, how do I fix it"},
     {"my address", "the address of my account", "where I live", "my postal address"}},
    {"forgotten_password",
     {"I forgot {}", "how do I reset {}", "{} does no longer work, I cannot log in", "I lost {}",
      "how can I get a new one for {}", "please help me recover {}"},
     {"my password", "the password of my account", "my login password", "my secret word"}},
    {"opening_hours",
     {"when is {} open", "what are the opening hours of {}", "until what time is {} open", "at what hour does {} close",
      "is {} open late", "tell me the hours of {}"},
     {"your shop", "the store", "your branch", "the showroom"}},
    {"warranty",
     {"does {} have a warranty", "how long is the guarantee of {}", "is there a guarantee for {}",
      "what does the warranty of {} cover", "for how many years is {} guaranteed", "is {} still under warranty"},
     {"the machine", "this appliance", "the device", "my gadget"}},
    {"cancel_order",
     {"how do I cancel {}", "please stop {} before it is sent", "I do want to withdraw {}", "can {} still be cancelled",
      "I changed my mind about {}, cancel it", "is it possible to call off {}"},
     {"my order", "the purchase", "what I ordered", "my last order"}},
}};
constexpr std::array<const char*, 3> kFrames = {"{}?", "Hello, {}?", "{} please"};

std::string Fill(const std::string& pattern, const std::string& with) {
  const std::size_t at = pattern.find("{}");
  return pattern.substr(0, at) + with + pattern.substr(at + 2);
}

}  // namespace

std::string FaqRows() {
  std::string rows;
  for (const Topic& topic : kTopics) {
    for (const char* ask : topic.asks) {
      for (const char* object : topic.objects) {
        for (const char* frame : kFrames) {
          rows += R"({"text": ")" + Fill(frame, Fill(ask, object)) + R"(", "label": ")" + topic.answer + "\"}\n";
        }
      }
    }
  }
  return rows;
}

std::filesystem::path FaqMatcher(const TempDir& folder) {
  offline::TuneCacheOptions options;
  options.rows.files = {folder.Write("faq.jsonl", FaqRows())};
  options.fit.embedding = offline::DefaultEmbedding();
  options.out = folder.path() / "faq.pmc";
  const auto report = offline::TuneCache(options);
  if (!report) throw std::runtime_error(report.error().message);
  return options.out;
}

}  // namespace pointsman::testing
