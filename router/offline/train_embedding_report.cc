// router/offline/train_embedding_report.cc: a TrainEmbeddingReport as text for people and as JSON for scripts.
#include <boost/json.hpp>

#include "router/offline/format.h"
#include "router/offline/train_embedding.h"

namespace pointsman::offline {

std::string ReportText(const TrainEmbeddingReport& r) {
  std::string text = Format("%zu texts (dropped %llu, duplicates %llu, bad %llu); %zu more held out\n", r.texts,
                            static_cast<unsigned long long>(r.dropped), static_cast<unsigned long long>(r.duplicates),
                            static_cast<unsigned long long>(r.bad), r.held_out);
  for (const std::string& bad : r.bad_examples) text += "  left out: " + bad + "\n";
  text += Format("teacher: %s; of %zu texts it read the beginning only\n", r.encoder.c_str(), r.truncated);
  text +=
      Format("%zu pieces and %zu pairs of %zu values, which keep %.1f %% of the variance of the teacher's vectors\n",
             r.pieces, r.pairs, r.dimensions, 100 * r.kept);
  if (r.held_out > 0) {
    text += Format("mean cosine with the teacher's vectors in these dimensions, held-out texts: %.4f\n", r.cosine);
  }
  text += Format("%.0f s, of which the teacher took %.0f s\n", r.seconds, r.encoder_seconds);
  text += Format("%s: %llu bytes, sha256 %s\n", r.out.c_str(), static_cast<unsigned long long>(r.bytes),
                 r.checksum.c_str());
  return text;
}

std::string ReportJson(const TrainEmbeddingReport& r) {
  namespace json = boost::json;
  json::array bad;
  for (const std::string& message : r.bad_examples) bad.push_back(json::value(message));
  const json::value cosine = r.held_out > 0 ? json::value(r.cosine) : json::value(nullptr);
  const json::object report = {{"texts", r.texts},
                               {"held_out", r.held_out},
                               {"truncated", r.truncated},
                               {"dropped", r.dropped},
                               {"duplicates", r.duplicates},
                               {"bad", r.bad},
                               {"bad_examples", bad},
                               {"encoder", r.encoder},
                               {"dimensions", r.dimensions},
                               {"pieces", r.pieces},
                               {"pairs", r.pairs},
                               {"kept_variance", r.kept},
                               {"held_out_cosine", cosine},
                               {"seconds", r.seconds},
                               {"encoder_seconds", r.encoder_seconds},
                               {"artifact", {{"file", r.out.string()}, {"bytes", r.bytes}, {"sha256", r.checksum}}}};
  return json::serialize(report);
}

}  // namespace pointsman::offline
