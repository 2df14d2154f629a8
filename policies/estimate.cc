#include "policies/choose.h"

namespace pointsman::policies {

// English prose has about 4.3 bytes a token with today's vocabularies, code about 3.5.
std::uint32_t EstimateTokens(std::size_t bytes) { return static_cast<std::uint32_t>((bytes + 3) / 4); }

}  // namespace pointsman::policies
