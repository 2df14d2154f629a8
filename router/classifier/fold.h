// router/classifier/fold.h: Unicode text in one simple spelling, so that é, É, ｅ and e + accent are the same letter.
#pragma once

#include <string>
#include <string_view>

namespace pointsman::classifier {

// Text that is ASCII comes back as it is (the readers of features fold A-Z themselves). Everything else is decomposed
// by compatibility (NFKD), case-folded and freed of combining marks; control and format characters go; an ideograph or
// a mark of punctuation that is not ASCII gets a space on either side, as it is a token of its own; bytes that are not
// UTF-8 become a space each. `storage` holds the result where one had to be made. Linear; at most twice as long, cut
// there. Any thread.
std::string_view Fold(std::string_view text, std::string& storage);

}  // namespace pointsman::classifier
