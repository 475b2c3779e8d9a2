#include "support.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace fs = std::filesystem;

namespace {

const fs::path here = fs::path(GLIMPSE_ROOT) / "tests/unit/installation";

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) text += static_cast<char>(c);
  return text;
}

void make_certificate(const fs::path& folder) {
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
      "-addext subjectAltName=DNS:localhost -keyout " +
      (folder / "key.pem").string() + " -out " + (folder / "cert.pem").string() + " 2>/dev/null";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("openssl makes no certificate");
}

}  // namespace

HttpServer::HttpServer(const fs::path& file, bool tls) : tls_(tls) {
  if (tls) make_certificate(folder_.path());
  folder_.write("log", "");
  int in[2], out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const std::string script = here / "http_server.py", log = folder_.path() / "log", cert = ca(),
                    key = folder_.path() / "key.pem";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    if (tls)
      ::execlp("python3", "python3", "-B", script.c_str(), file.c_str(), log.c_str(), cert.c_str(),
               key.c_str(), nullptr);
    ::execlp("python3", "python3", "-B", script.c_str(), file.c_str(), log.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  words_ = in[1];
  for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) port_ += c;
  ::close(out[0]);
  if (port_.empty()) throw std::runtime_error("http_server.py does not start");
}

HttpServer::~HttpServer() {
  ::close(words_);
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

std::string HttpServer::url(const std::string& path) const {
  return (tls_ ? "https" : "http") + ("://localhost:" + port_) + path;
}

std::vector<std::string> HttpServer::requests() const {
  std::ifstream in(folder_.path() / "log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

const fs::path& archives() {
  static const TempFolder folder;
  static const bool made = [] {
    const std::string command =
        "python3 -B " + (here / "archives.py").string() + " " + folder.path().string();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("archives.py failed");
    return true;
  }();
  (void)made;
  return folder.path();
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string sha256_of(const fs::path& file) {
  return output_of("sha256sum " + file.string()).substr(0, 64);
}
