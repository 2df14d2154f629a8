// backends/openai/request_json.h: the body of POST /chat/completions, from a request and the expert that is to answer.
#pragma once

#include <string>

#include "base/result.h"
#include "config/config.h"
#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::openai {

// The JSON text. Only what is set is sent. The expert's system prompt comes first unless the request has a system
// message; unset sampling fields take the expert's defaults. What OpenAI's own API does not know goes by the names that
// vLLM, SGLang and llama.cpp's server use: `top_k`, `min_p`, `repetition_penalty` and `repeat_penalty`, `grammar`.
// A seed is cut to 63 bits, which is what most servers take.
// Fails with InvalidArgument, naming the field, when JSON text in the request is none, or a number is not finite.
// `backend` is the expert's own. Any thread.
Result<std::string> RequestJson(const v1::CompleteRequest& request, const config::Expert& expert,
                                const config::OpenAiBackend& backend, bool stream);

}  // namespace pointsman::openai
