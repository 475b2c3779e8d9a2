#include "installation/download.hpp"

#include <thread>

#include "captured_log.hpp"
#include "catch.hpp"
#include "core/waiting.hpp"
#include "support.hpp"

using namespace glimpse;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t size = 300'000;
constexpr std::size_t half = size / 2;

std::string content() {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * i / 7);
  return bytes;
}

struct Download {
  TempFolder folder;
  fs::path original = folder.write("original", content());
  HttpServer server;
  FetchRequest request;
  RetryRules rules{3, 1'000'000, 1ms, 2ms, [] { return 0.5; }};
  std::stop_source stop;
  std::vector<std::uint64_t> progress;
  CapturedLog log;

  explicit Download(const std::string& path, bool tls = false) : server(original, tls) {
    request.url = server.url(path);
    request.file = folder.path() / "part";
    request.size = size;
    if (tls) request.ca_file = server.ca();
  }
  /// "" where it is there, whole.
  std::string run() {
    try {
      download(request, sha256_of(original), rules, stop.get_token(),
               [this](std::uint64_t have) { progress.push_back(have); });
    } catch (const InstallError& error) {
      return error.what();
    } catch (const InstallStopped&) {
      return "stopped";
    }
    return bytes_of(request.file) == content() ? "" : "another file";
  }
  [[nodiscard]] std::uint64_t have() const {
    return fs::exists(request.file) ? fs::file_size(request.file) : 0;
  }
};

using Requests = std::vector<std::string>;

}  // namespace

TEST_CASE("a file is fetched in one request") {
  Download it("/plain/x");
  CHECK(it.run().empty());
  CHECK(it.server.requests() == Requests{"/plain/x - - 200"});
  CHECK(std::is_sorted(it.progress.begin(), it.progress.end()));
}

TEST_CASE("a file that is there already is not fetched") {
  Download it("/plain/x");
  it.folder.write("part", content());
  CHECK(it.run().empty());
  CHECK(it.server.requests().empty());
}

TEST_CASE("a connection that breaks is followed by another one for the rest") {
  Download it("/cut-once/x");
  CHECK(it.run().empty());
  CHECK(it.server.requests() == Requests{"/cut-once/x - - 200", "/cut-once/x bytes=150000- \"one\" 206"});
  CHECK(it.log.count("next attempt in") == 1);
}

TEST_CASE("what an ended program has left is gone on with") {
  Download it("/plain/x");
  it.folder.write("part", content().substr(0, 1000));
  it.folder.write("part.validator", "\"one\"");
  CHECK(it.run().empty());
  CHECK(it.server.requests() == Requests{"/plain/x bytes=1000- \"one\" 206"});
}

TEST_CASE("a part of which nobody knows the file begins anew") {
  Download it("/plain/x");
  it.folder.write("part", std::string(1000, 'x'));
  CHECK(it.run().empty());
  CHECK(it.server.requests() == Requests{"/plain/x - - 200"});
}

TEST_CASE("a part that is longer than the file begins anew") {
  Download it("/plain/x");
  it.folder.write("part", std::string(size + 1, 'x'));
  it.folder.write("part.validator", "\"one\"");
  CHECK(it.run().empty());
}

TEST_CASE("a file that has changed meanwhile begins anew") {
  Download it("/changed/x");
  CHECK(it.run().empty());
  CHECK(it.server.requests() == Requests{"/changed/x - - 200", "/changed/x bytes=150000- \"1\" 200"});
}

TEST_CASE("a weak ETag does not vouch for bytes") {
  Download it("/weak/x");
  CHECK(it.run().empty());
  CHECK(it.server.requests() == Requests{"/weak/x - - 200", "/weak/x - - 200"});
}

TEST_CASE("without an ETag the date does") {
  Download it("/dated/x");
  CHECK(it.run().empty());
  CHECK(it.server.requests().back() == "/dated/x bytes=150000- Sun,_22_Nov_2026_10:00:00_GMT 206");
}

TEST_CASE("another part than the one asked for is not taken") {
  Download it("/another_range/x");
  CHECK(it.run().empty());
  CHECK(it.server.requests().size() == 3);
  CHECK(it.log.count("another part of the file") == 1);
}

TEST_CASE("where there is no such part all begins anew") {
  Download it("/no_such_range/x");
  CHECK(it.run().empty());
  CHECK(it.server.requests().size() == 3);
}

TEST_CASE("a server that keeps silent is tried again, and given up") {
  Download it("/stall/x");
  it.request.stalled = 1s;
  const auto began = Steady::now();
  CHECK_THAT(it.run(), ContainsSubstring("given up after 3 attempts"));
  CHECK(it.server.requests().size() == 3);
  CHECK(it.have() == half);
  CHECK(Steady::now() - began < 10s);
}

TEST_CASE("one that keeps silent once is forgiven") {
  Download it("/stall-once/x");
  it.request.stalled = 2s;
  CHECK(it.run().empty());
}

TEST_CASE("attempts are counted from the last that brought something") {
  Download it("/crumbs/x");  // 60,000 bytes each
  SECTION("worth an attempt") {
    it.rules.gain = 60'000;
    CHECK(it.run().empty());
    CHECK(it.server.requests().size() == 5);
  }
  SECTION("or not") {
    it.rules.gain = 60'001;
    CHECK_THAT(it.run(), ContainsSubstring("given up after 3 attempts"));
    CHECK(it.server.requests().size() == 3);
  }
}

TEST_CASE("a file larger than announced is not taken, and fetched once only") {
  const std::string path = GENERATE("/longer/x", "/unending/x", "/announces/x", "/longer_range/x");
  Download it(path);
  INFO(path);
  CHECK_THAT(it.run(), ContainsSubstring("announced"));
  CHECK(it.have() <= size);
  CHECK(it.server.requests().size() <= 2);
}

TEST_CASE("a file smaller than announced is not taken") {
  Download it("/shorter/x");
  CHECK_THAT(it.run(), ContainsSubstring("has 299999 bytes, announced are 300000"));
}

TEST_CASE("another file than the job's is not taken") {
  Download it("/plain/x");
  it.folder.write("original", std::string(size, 'y'));  // the server has read it before
  CHECK_THAT(it.run(), ContainsSubstring("it is another file, or damaged"));
}

TEST_CASE("a server that says no is asked once") {
  const std::string code = GENERATE("400", "403", "404", "410", "204", "304");
  Download it("/" + code + "/x");
  INFO(code);
  CHECK_THAT(it.run(), ContainsSubstring("the server says " + code));
  CHECK(it.server.requests().size() == 1);
  CHECK(it.have() == 0);
}

TEST_CASE("a server that says later is asked again") {
  const std::string code = GENERATE("408", "429", "500", "503");
  Download it("/" + code + "-once/x");
  INFO(code);
  CHECK(it.run().empty());
}

TEST_CASE("a server that says later for ever is given up") {
  Download it("/503/x");
  CHECK_THAT(it.run(), ContainsSubstring("the server says 503; given up after 3 attempts"));
}

TEST_CASE("what is no web server, or not there, is said") {
  Download it("/no_http/x");
  CHECK_THAT(it.run(), ContainsSubstring("given up after 3 attempts"));
  it.request.url = "http://localhost:1/x";
  CHECK_THAT(it.run(), ContainsSubstring("http://localhost:1/x: "));
  it.request.url = "https://name.invalid/x";
  CHECK_THAT(it.run(), ContainsSubstring("name.invalid"));
}

TEST_CASE("the query, which may be a secret, is in no word of log and reason") {
  for (const char* how : {"/403/x", "/503/x", "/crumbs/x", "/stall/x", "/longer/x", "/no_http/x"}) {
    Download it(std::string(how) + "?X-Amz-Signature=secret#secret");
    it.request.stalled = 1s;
    const std::string reason = it.run();
    CHECK_FALSE(reason.empty());
    CHECK(reason.find("secret") == std::string::npos);
    CHECK(it.log.count("secret") == 0);
  }
}

TEST_CASE("https with an authority of our own") {
  Download it("/cut-once/x", true);
  CHECK(it.run().empty());
  CHECK(it.server.requests().size() == 2);
}

TEST_CASE("a server that no authority of ours vouches for is not asked") {
  Download it("/plain/x", true);
  it.request.ca_file.clear();
  CHECK_THAT(it.run(), ContainsSubstring("certificate"));
  CHECK(it.server.requests().empty());
}

TEST_CASE("a server under another name is not asked") {
  Download it("/plain/x", true);
  it.request.url.replace(it.request.url.find("localhost"), 9, "127.0.0.1");
  CHECK_THAT(it.run(), ContainsSubstring("certificate"));
  CHECK(it.server.requests().empty());
}

TEST_CASE("redirects go to https alone") {
  Download it("", true);
  const std::string https = it.request.url;
  SECTION("there and back") {
    it.request.url = https + "/redirect/x?to=" + https + "/plain/x";
    CHECK(it.run().empty());
  }
  SECTION("from http to https") {
    const HttpServer plain(it.original);
    it.request.url = plain.url("/redirect/x?to=" + https + "/cut-once/x");
    CHECK(it.run().empty());
    CHECK(it.server.requests().size() == 2);
  }
  SECTION("not to http, and to no file") {
    const HttpServer plain(it.original);
    const std::string scheme = GENERATE("http", "file", "ftp");
    const std::string to = scheme == "http" ? plain.url("/plain/x") : scheme + ":///etc/passwd";
    it.request.url = https + "/redirect/x?to=" + to;
    CHECK_THAT(it.run(), ContainsSubstring("not https"));
    CHECK(plain.requests().empty());
    CHECK(it.have() == 0);
  }
  SECTION("not from http to http") {
    const HttpServer plain(it.original);
    it.request.url = plain.url("/redirect/x?to=" + plain.url("/plain/x"));
    CHECK_THAT(it.run(), ContainsSubstring("not https"));
    CHECK(plain.requests().size() == 1);
  }
  SECTION("and not for ever") {
    it.request.url = https + "/loop/x";
    CHECK_FALSE(it.run().empty());
    CHECK(it.server.requests().size() < 10);
  }
}

TEST_CASE("a stop is obeyed within a second, and what has come stays") {
  Download it("/stall/x");
  it.request.stalled = 60s;
  std::jthread stopper([&] {
    while (it.have() < half) std::this_thread::yield();
    it.stop.request_stop();
  });
  const auto began = Steady::now();
  CHECK(it.run() == "stopped");
  CHECK(Steady::now() - began < 3s);
  CHECK(it.have() == half);
  CHECK(bytes_of(it.request.file.string() + ".validator") == "\"one\"");
}

TEST_CASE("a stop ends a pause, too") {
  Download it("/503/x");
  it.rules.base = it.rules.cap = 60s;
  std::jthread stopper([&] {
    while (it.log.count("next attempt") == 0) std::this_thread::yield();
    it.stop.request_stop();
  });
  CHECK(it.run() == "stopped");
}

TEST_CASE("a file that cannot be written is said") {
  Download it("/plain/x");
  SECTION("no such folder") {
    it.request.file = it.folder.path() / "none/part";
  }
  SECTION("a folder is there") {
    fs::create_directory(it.folder.path() / "part");
  }
  SECTION("a link is there") {
    fs::create_symlink(it.original, it.folder.path() / "part");
  }
  SECTION("no place is left") {
    it.request.file = "/dev/full";
  }
  CHECK_THAT(it.run(), ContainsSubstring("cannot be written"));
  CHECK(bytes_of(it.original) == content());
}
