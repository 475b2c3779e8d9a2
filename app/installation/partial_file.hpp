// A file of which parts have come, and the HTTP response that brings the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/file_descriptor.hpp"

namespace glimpse {

struct FetchResult {
  enum class Kind { complete, try_again, refused, stopped } kind = Kind::complete;
  std::string reason;  // one line, without the URL's query
};

/// Beside the file lies FILE.validator: the server's ETag or date of the file that the bytes are of. They are
/// gone on with where the server has that file still, which it says by 206; else all begins anew.
class PartialFile {
 public:
  /// Opens the file, or makes it (0600). `size`: of the whole.
  PartialFile(std::filesystem::path file, std::uint64_t size);

  [[nodiscard]] std::uint64_t have() const { return have_; }  // bytes
  [[nodiscard]] long status() const { return status_; }       // of the response; 0: none has come
  /// What asks the server for the rest; none where all is to come.
  [[nodiscard]] std::vector<std::string> range_headers() const;
  /// Why no more is taken, once one of the two below has said so, or the constructor.
  [[nodiscard]] const std::optional<FetchResult>& end() const { return end_; }

  /// A line of the response's header, in order. False: see end().
  [[nodiscard]] bool header(const std::string& line);
  /// A piece of its body. Never more than `size` in all.
  [[nodiscard]] bool take(const char* bytes, std::size_t count);
  /// The next attempt begins anew.
  void forget_validator();

 private:
  using Kind = FetchResult::Kind;
  [[nodiscard]] bool is_file() const { return status_ == 200 || status_ == 206; }
  [[nodiscard]] bool begin_body();
  [[nodiscard]] bool begin_anew();
  [[nodiscard]] bool go_on();
  [[nodiscard]] bool give_up(Kind kind, std::string reason);
  [[nodiscard]] bool refuse_size(std::uint64_t size);
  [[nodiscard]] bool refuse_file(int error);

  const std::filesystem::path path_, validator_;
  const std::uint64_t size_;
  FileDescriptor file_;
  std::uint64_t have_ = 0;
  std::optional<FetchResult> end_;

  // Of the response.
  long status_ = 0;
  std::string etag_, last_modified_, content_range_;
  std::optional<std::uint64_t> length_;
  bool in_body_ = false;
};

}  // namespace glimpse
