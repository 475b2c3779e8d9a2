// A file fetched to its end, however often the connection breaks, and its hash checked.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>

#include "installation/http_fetch.hpp"

namespace glimpse {

/// Why an installation has failed, in one line.
class InstallError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The work was to end before it was done: nothing is wrong.
struct InstallStopped {};

struct RetryRules {
  int attempts = 8;                // in a row that bring next to nothing; then it has failed
  std::uint64_t gain = 1'000'000;  // bytes that are more than nothing
  std::chrono::milliseconds base{5'000}, cap{300'000};  // of the pauses between: Backoff
  std::function<double()> random01{};                   // [0, 1)
};

/// Returns once the file has all its bytes and their SHA-256 is `sha256`. Throws InstallError,
/// InstallStopped.
void download(const FetchRequest& request, const std::string& sha256, const RetryRules& rules,
              const std::stop_token& stop, const std::function<void(std::uint64_t have)>& progress);

}  // namespace glimpse
