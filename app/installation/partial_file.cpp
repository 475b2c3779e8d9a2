#include "installation/partial_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace glimpse {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

PartialFile::PartialFile(fs::path file, std::uint64_t size)
    : path_(std::move(file)),
      validator_(path_.string() + ".validator"),
      size_(size),
      file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  const off_t there = file_.get() < 0 ? -1 : ::lseek(file_.get(), 0, SEEK_END);
  if (there < 0) {
    (void)refuse_file(errno);
  } else {
    have_ = static_cast<std::uint64_t>(there);
  }
}

std::vector<std::string> PartialFile::range_headers() const {
  std::ifstream in(validator_, std::ios::binary);
  std::string tag;
  if (have_ == 0 || have_ > size_ || !std::getline(in, tag) || tag.empty()) return {};
  return {"Range: bytes=" + std::to_string(have_) + "-", "If-Range: " + tag};
}

void PartialFile::forget_validator() {
  std::error_code ignored;
  fs::remove(validator_, ignored);
}

bool PartialFile::give_up(Kind kind, std::string reason) {
  end_ = FetchResult{kind, std::move(reason)};
  return false;
}

bool PartialFile::refuse_size(std::uint64_t size) {
  return give_up(Kind::refused, "the file there has " + std::to_string(size) + " bytes, announced are " +
                                    std::to_string(size_));
}

bool PartialFile::refuse_file(int error) {
  return give_up(Kind::refused,
                 path_.string() + " cannot be written: " + std::generic_category().message(error));
}

bool PartialFile::header(const std::string& line) {
  if (line.rfind("HTTP/", 0) == 0) {  // the next response: a redirect came before it
    etag_ = last_modified_ = content_range_ = "";
    length_.reset();
    const auto space = line.find(' ');
    status_ = space == std::string::npos ? 0 : std::strtol(line.c_str() + space, nullptr, 10);
  }
  if (const auto it = value_of(line, "etag")) etag_ = *it;
  if (const auto it = value_of(line, "last-modified")) last_modified_ = *it;
  if (const auto it = value_of(line, "content-range")) content_range_ = *it;
  if (const auto it = value_of(line, "content-length")) length_ = std::strtoull(it->c_str(), nullptr, 10);
  const bool is_last = line == "\r\n" || line == "\n";
  return !is_last || in_body_ || !is_file() || begin_body();
}

bool PartialFile::begin_body() {
  in_body_ = true;
  return status_ == 200 ? begin_anew() : go_on();
}

/// The server sends the whole file, whatever we have of it.
bool PartialFile::begin_anew() {
  if (length_ && *length_ != size_) return refuse_size(*length_);
  if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0) return refuse_file(errno);
  have_ = 0;
  const bool is_strong =
      !etag_.empty() && etag_.rfind("W/", 0) != 0;  // RFC 9110, 13.1.5: a weak one does not do
  const std::string& tag = is_strong ? etag_ : last_modified_;
  forget_validator();
  if (!tag.empty()) std::ofstream(validator_, std::ios::binary) << tag;
  return true;
}

bool PartialFile::go_on() {
  unsigned long long first = 0, last = 0, whole = 0;
  const int found = std::sscanf(content_range_.c_str(), "bytes %llu-%llu/%llu", &first, &last, &whole);
  if (found == 3 && first == have_) return whole == size_ || refuse_size(whole);
  forget_validator();
  return give_up(Kind::try_again, "the server sent another part of the file than it was asked for");
}

bool PartialFile::take(const char* bytes, std::size_t count) {
  if (!is_file()) return true;  // the words of a refusal: nobody reads them
  if (count > size_ - have_)
    return give_up(Kind::refused, "more came than the announced " + std::to_string(size_) + " bytes");
  while (count > 0) {
    const ssize_t written = ::write(file_.get(), bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refuse_file(errno);
    bytes += written;
    count -= static_cast<std::size_t>(written);
    have_ += static_cast<std::uint64_t>(written);
  }
  return true;
}

}  // namespace glimpse
