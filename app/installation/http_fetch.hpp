// One attempt to fetch the rest of a file, by HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "installation/partial_file.hpp"

namespace glimpse {

struct FetchRequest {
  std::string url;  // https, or http to loopback; redirects go to https alone
  std::filesystem::path file;
  std::uint64_t size = 0;  // of the whole file
  std::string ca_file;     // trusted beside the system's authorities; empty: these alone
  std::string proxy;       // http://[user:password@]host:port; empty: none, whatever the environment says
  std::chrono::milliseconds stalled{30'000};  // less than a byte a second for so long is a failure
};

/// Appends to the file what it lacks, or begins anew where what the server has is another file by now
/// (If-Range). Beside the file lies FILE.validator, by which that is seen; without it all begins anew. `size`
/// bytes are enough: no more are taken, and a server that has more is refused. Ends within about 1 s of a
/// requested stop.
[[nodiscard]] FetchResult fetch_rest(const FetchRequest& request, const std::stop_token& stop,
                                     const std::function<void(std::uint64_t have)>& progress);

/// Host and path: what may be shown of a URL. What follows is a presigned one's secret.
[[nodiscard]] std::string shown_url(const std::string& url);

}  // namespace glimpse
