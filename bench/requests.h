// bench/requests.h: the messages that the micro-benchmarks use.
#pragma once

#include "pointsman/v1/pointsman.pb.h"

namespace pointsman::bench {

// A conversation of three messages, about 700 bytes of text, sampled at temperature 0.
v1::CompleteRequest TypicalRequest();

// An answer of about 300 bytes with its usage.
v1::CompleteResponse TypicalResponse();

}  // namespace pointsman::bench
