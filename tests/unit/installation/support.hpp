// A web server, archives of models, and what the tests share of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "temp_folder.hpp"

/// http_server.py, as long as this lives.
class HttpServer {
 public:
  explicit HttpServer(const std::filesystem::path& file, bool tls = false);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::string url(const std::string& path) const;
  [[nodiscard]] std::string ca() const { return (folder_.path() / "cert.pem").string(); }
  /// "/plain/x - - 200": path, Range, If-Range, status.
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  TempFolder folder_;
  bool tls_;
  int pid_ = -1, words_ = -1;  // our end of its standard input
  std::string port_;
};

/// The folder with what archives.py writes, made once for all tests.
[[nodiscard]] const std::filesystem::path& archives();

[[nodiscard]] std::string bytes_of(const std::filesystem::path& file);
/// By sha256sum(1).
[[nodiscard]] std::string sha256_of(const std::filesystem::path& file);
