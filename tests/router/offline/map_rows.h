// tests/router/offline/map_rows.h: outcome rows of three experts over three topics, for the tests of maps.
#pragma once

#include <cstdio>
#include <string>

namespace pointsman::offline {

// CSV and questions of `count` requests: topic t is mostly right with expert t; `big` is right by 70 % everywhere.
// h counts up, so that --h LO:HI takes a part of each hundred.
struct MapRows {
  std::string outcomes = "id,h,category,answer,pred:big,pred:maths,pred:poet\n", questions;

  explicit MapRows(int count) {
    const char* topics[] = {"algebra", "poetry", "history"};
    const char* texts[] = {"Solve the equation of degree ", "Which verse and rhyme has stanza ",
                           "When did the king rule "};
    for (int i = 0; i < count; ++i) {
      const int topic = i % 3;
      char h[32];
      std::snprintf(h, sizeof h, "%08x00", i);
      const bool big = i % 10 < 7, maths = topic == 0 ? i % 11 < 10 : i % 7 < 2,
                 poet = topic == 1 ? i % 13 < 12 : i % 9 < 3;
      const std::string id = "q" + std::to_string(i);
      outcomes += id + "," + h + "," + topics[topic] + ",A," + (big ? "A" : "B") + "," + (maths ? "A" : "-") + "," +
                  (poet ? "A" : "B") + "\n";
      questions += "{\"id\": \"" + id + "\", \"question\": \"" + texts[topic] + std::to_string(i * 37) +
                   "?\", \"options\": [\"" + topics[topic] + "\", \"none\"]}\n";
    }
  }
};

inline constexpr char kMapExperts[] =
    "{\"experts\": [{\"name\": \"big\", \"active_billion\": 70, \"licence\": \"MIT\", \"p95_ms\": 900},"
    "{\"name\": \"maths\", \"active_billion\": 7, \"licence\": \"MIT\", \"p95_ms\": 100},"
    "{\"name\": \"poet\", \"active_billion\": 8, \"licence\": \"other\", \"p95_ms\": 100}]}";

}  // namespace pointsman::offline
