#include "installation/http_fetch.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "core/text.hpp"
#include "core/waiting.hpp"

namespace glimpse {
namespace {

using Kind = FetchResult::Kind;

constexpr long connect_limit_s = 30;
constexpr long max_redirects = 5;

/// What libcurl's functions are given.
struct Attempt {
  const FetchRequest& request;
  const std::stop_token& stop;
  const std::function<void(std::uint64_t)>& progress;
  PartialFile file;
  // A stretch of `stalled`: when it began, and with how much.
  Steady::time_point began = Steady::now();
  std::uint64_t had = 0;
  bool has_stalled = false;

  bool may_go_on() {
    if (stop.stop_requested()) return false;
    progress(file.have());
    const auto lasted = Steady::now() - began;
    if (lasted < request.stalled) return true;
    const auto least = std::max<std::int64_t>(1, std::chrono::floor<std::chrono::seconds>(lasted).count());
    has_stalled = file.have() < had + static_cast<std::uint64_t>(least);
    began = Steady::now();
    had = file.have();
    return !has_stalled;
  }
};

std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* attempt) {
  return static_cast<Attempt*>(attempt)->file.header(std::string(bytes, count)) ? count : 0;
}

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* attempt) {
  return static_cast<Attempt*>(attempt)->file.take(bytes, count) ? count : CURL_WRITEFUNC_ERROR;
}

/// Called about once a second where nothing comes.
int on_progress(void* attempt, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Attempt*>(attempt)->may_go_on() ? 0 : 1;
}

void configure(CURL* curl, Attempt& attempt) {
  const FetchRequest& request = attempt.request;
  const bool is_https = request.url.rfind("https://", 0) == 0;
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, max_redirects);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // libcurl's own folder of authorities stays in use beside the file.
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, request.proxy.c_str());
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "glimpse");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // a name server that keeps silent is not waited for
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_limit_s);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);
}

FetchResult judge_transfer(const Attempt& attempt, CURLcode code, const std::string& detail) {
  const std::string where = shown_url(attempt.request.url) + ": ";
  const std::string why = where + (detail.empty() ? curl_easy_strerror(code) : escape_control(detail));
  if (attempt.has_stalled) return {Kind::try_again, where + "less than a byte a second came"};
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (attempt.file.status() < 300 || attempt.file.status() > 399) return {Kind::try_again, why};
      return {Kind::refused, where + "it leads to an address that is not https"};
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return {Kind::refused, why};
    default:
      return {Kind::try_again, why};
  }
}

FetchResult judge_answer(Attempt& attempt) {
  const long status = attempt.file.status();
  const std::string where = shown_url(attempt.request.url) + ": ";
  const std::string said = where + "the server says " + std::to_string(status);
  switch (status) {
    case 200:
    case 206:
      if (attempt.file.have() == attempt.request.size) return {Kind::complete, ""};
      return {Kind::refused, where + "the file there has " + std::to_string(attempt.file.have()) +
                                 " bytes, announced are " + std::to_string(attempt.request.size)};
    case 401:
    case 403:
      return {Kind::refused,
              said + "; a presigned URL is good for a time only: make a new one, and a new job"};
    case 416:
      attempt.file.forget_validator();
      return {Kind::try_again, said};
    case 408:
    case 429:
      return {Kind::try_again, said};
    default:
      return {status >= 500 ? Kind::try_again : Kind::refused, said};
  }
}

}  // namespace

std::string shown_url(const std::string& url) {
  return escape_control(url.substr(0, std::min(url.find_first_of("?#"), std::size_t{200})));
}

FetchResult fetch_rest(const FetchRequest& request, const std::stop_token& stop,
                       const std::function<void(std::uint64_t)>& progress) {
  Attempt attempt{request, stop, progress, PartialFile(request.file, request.size)};
  if (attempt.file.end()) return *attempt.file.end();
  if (attempt.file.have() == request.size) return {Kind::complete, ""};
  attempt.had = attempt.file.have();

  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return {Kind::try_again, "libcurl does not start"};
  configure(curl.get(), attempt);
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(nullptr, curl_slist_free_all);
  for (const std::string& line : attempt.file.range_headers())
    headers.reset(curl_slist_append(headers.release(), line.c_str()));
  if (headers) curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  std::string detail(CURL_ERROR_SIZE, '\0');
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(curl.get());

  if (attempt.file.end()) return *attempt.file.end();
  if (stop.stop_requested()) return {Kind::stopped, ""};
  return code == CURLE_OK ? judge_answer(attempt) : judge_transfer(attempt, code, detail.c_str());
}

}  // namespace glimpse
