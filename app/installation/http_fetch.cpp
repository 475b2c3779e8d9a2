#include "installation/http_fetch.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <system_error>

#include "core/file_descriptor.hpp"
#include "core/text.hpp"

namespace glimpse {
namespace {

namespace fs = std::filesystem;
using Kind = FetchResult::Kind;

constexpr long connect_limit_s = 30;
constexpr long max_redirects = 5;

std::string reason_of(int error) {
  return std::generic_category().message(error);
}

/// "name: value\r\n" as its value where that is its name; names are the same in any case.
std::optional<std::string> value_of(const std::string& line, const std::string& name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(line[i])) != name[i]) return std::nullopt;
  }
  const auto begin = line.find_first_not_of(" \t", name.size() + 1);
  const auto end = line.find_last_not_of(" \t\r\n");
  return begin == std::string::npos || end < begin ? "" : line.substr(begin, end - begin + 1);
}

struct Attempt {
  const FetchRequest& request;
  const std::stop_token& stop;
  const std::function<void(std::uint64_t)>& progress;
  FileDescriptor file;
  std::uint64_t have = 0;  // bytes in the file

  // Of the response that comes in.
  long status = 0;
  std::string etag{}, last_modified{}, content_range{};
  std::optional<std::uint64_t> length{};
  bool begun = false;  // its first byte was taken, or refused
  FetchResult end{};   // what we ended it for

  bool give_up(Kind kind, std::string reason) {
    end = {kind, std::move(reason)};
    return false;
  }
  [[nodiscard]] fs::path validator() const { return request.file.string() + ".validator"; }
  void header(const std::string& line);
  bool begin_body();
  bool begin_anew();
  bool take(const char* bytes, std::size_t count);
};

void Attempt::header(const std::string& line) {
  if (line.rfind("HTTP/", 0) == 0) {  // of the next response: a redirect came before it
    status = 0;
    etag = last_modified = content_range = "";
    length.reset();
    const auto space = line.find(' ');
    if (space != std::string::npos) status = std::strtol(line.c_str() + space, nullptr, 10);
  }
  if (const auto it = value_of(line, "etag")) etag = *it;
  if (const auto it = value_of(line, "last-modified")) last_modified = *it;
  if (const auto it = value_of(line, "content-range")) content_range = *it;
  if (const auto it = value_of(line, "content-length")) length = std::strtoull(it->c_str(), nullptr, 10);
}

/// The server sends the whole file, whatever we have of it.
bool Attempt::begin_anew() {
  if (length && *length != request.size) {
    return give_up(Kind::refused, "the file there has " + std::to_string(*length) + " bytes, announced are " +
                                      std::to_string(request.size));
  }
  if (::ftruncate(file.get(), 0) != 0 || ::lseek(file.get(), 0, SEEK_SET) != 0)
    return give_up(Kind::refused, request.file.string() + " cannot be written: " + reason_of(errno));
  have = 0;
  // RFC 9110, 13.1.5: a weak one does not do.
  const bool is_strong = !etag.empty() && etag.rfind("W/", 0) != 0;
  const std::string& tag = is_strong ? etag : last_modified;
  std::error_code ignored;
  fs::remove(validator(), ignored);
  if (!tag.empty()) std::ofstream(validator(), std::ios::binary) << tag;
  return true;
}

bool Attempt::begin_body() {
  begun = true;
  if (status == 200) return begin_anew();
  unsigned long long first = 0, last = 0, whole = 0;
  if (std::sscanf(content_range.c_str(), "bytes %llu-%llu/%llu", &first, &last, &whole) != 3 ||
      first != have) {
    std::error_code ignored;
    fs::remove(validator(), ignored);  // so that the next attempt begins anew
    return give_up(Kind::try_again, "the server sent another part of the file than it was asked for");
  }
  if (whole != request.size) {
    return give_up(Kind::refused, "the file there has " + std::to_string(whole) + " bytes, announced are " +
                                      std::to_string(request.size));
  }
  return true;
}

bool Attempt::take(const char* bytes, std::size_t count) {
  if (status != 200 && status != 206) return true;  // the words of a refusal: nobody reads them
  if (!begun && !begin_body()) return false;
  if (count > request.size - have)
    return give_up(Kind::refused, "more came than the announced " + std::to_string(request.size) + " bytes");
  while (count > 0) {
    const ssize_t written = ::write(file.get(), bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return give_up(Kind::refused, request.file.string() + " cannot be written: " + reason_of(errno));
    bytes += written;
    count -= static_cast<std::size_t>(written);
    have += static_cast<std::uint64_t>(written);
  }
  return true;
}

std::size_t on_header(char* bytes, std::size_t, std::size_t count, void* attempt) {
  static_cast<Attempt*>(attempt)->header(std::string(bytes, count));
  return count;
}

std::size_t on_body(char* bytes, std::size_t, std::size_t count, void* attempt) {
  return static_cast<Attempt*>(attempt)->take(bytes, count) ? count : CURL_WRITEFUNC_ERROR;
}

int on_progress(void* it, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& attempt = *static_cast<Attempt*>(it);
  if (attempt.stop.stop_requested()) return 1;
  attempt.progress(attempt.have);
  return 0;
}

struct CurlList {
  curl_slist* list = nullptr;
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
  ~CurlList() { curl_slist_free_all(list); }
};

void configure(CURL* curl, Attempt& attempt) {
  const FetchRequest& request = attempt.request;
  const bool is_https = request.url.rfind("https://", 0) == 0;
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http");
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
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stalled.count()));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);
}

/// What makes the server send the rest, or the whole of another file.
void ask_for_rest(Attempt& attempt, CurlList& headers) {
  std::ifstream in(attempt.validator(), std::ios::binary);
  std::string tag;
  if (attempt.have == 0 || !std::getline(in, tag) || tag.empty()) return;
  headers.add("Range: bytes=" + std::to_string(attempt.have) + "-");
  headers.add("If-Range: " + tag);
}

/// The server's word is that of the last response.
FetchResult judge(const Attempt& attempt, CURLcode code, const std::string& detail) {
  if (!attempt.end.reason.empty()) return attempt.end;
  if (attempt.stop.stop_requested()) return {Kind::stopped, ""};
  const std::string where = shown_url(attempt.request.url) + ": ";
  const std::string why = where + (detail.empty() ? curl_easy_strerror(code) : escape_control(detail));
  switch (code) {
    case CURLE_OK:
      break;
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {Kind::refused, where + "it leads to an address that is not https"};
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return {Kind::refused, why};
    default:
      return {Kind::try_again, why};
  }
  const std::string said = where + "the server says " + std::to_string(attempt.status);
  switch (attempt.status) {
    case 200:
    case 206:
      break;
    case 401:
    case 403:
      return {Kind::refused,
              said + "; a presigned URL is good for a time only: make a new one, and a new job"};
    case 408:
    case 416:  // the validator has gone with the file: judge() is called after that
    case 429:
      return {Kind::try_again, said};
    default:
      return {attempt.status >= 500 ? Kind::try_again : Kind::refused, said};
  }
  if (attempt.have == attempt.request.size) return {Kind::complete, ""};
  return {Kind::refused, where + "the file there has " + std::to_string(attempt.have) +
                             " bytes, announced are " + std::to_string(attempt.request.size)};
}

}  // namespace

std::string shown_url(const std::string& url) {
  return escape_control(url.substr(0, std::min(url.find_first_of("?#"), std::size_t{200})));
}

FetchResult fetch_rest(const FetchRequest& request, const std::stop_token& stop,
                       const std::function<void(std::uint64_t)>& progress) {
  Attempt attempt{
      request, stop, progress,
      FileDescriptor(::open(request.file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600))};
  const off_t there = attempt.file.get() < 0 ? -1 : ::lseek(attempt.file.get(), 0, SEEK_END);
  if (there < 0) return {Kind::refused, request.file.string() + " cannot be written: " + reason_of(errno)};
  attempt.have = static_cast<std::uint64_t>(there);
  if (attempt.have == request.size) return {Kind::complete, ""};

  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return {Kind::try_again, "libcurl does not start"};
  CurlList headers;
  std::string detail(CURL_ERROR_SIZE, '\0');
  configure(curl.get(), attempt);
  if (attempt.have < request.size) ask_for_rest(attempt, headers);
  if (headers.list != nullptr) curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(curl.get());
  if (attempt.status == 416) {
    std::error_code ignored;
    fs::remove(attempt.validator(), ignored);
  }
  return judge(attempt, code, detail.c_str());
}

}  // namespace glimpse
