#include "view/web/request_body.hpp"

#include <sys/socket.h>

#include "catch.hpp"

using namespace glimpse;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Of a viewer that says `said` and then nothing more, or closes its side.
RequestBody body(const Headers& headers, const std::string& said, bool closes = true) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const FileDescriptor viewer(ends[0]), server(ends[1]);
  REQUIRE(::send(viewer.get(), said.data(), said.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(said.size()));
  if (closes) ::shutdown(viewer.get(), SHUT_WR);
  httplib::Request head;
  for (const auto& [name, value] : headers) head.headers.emplace(name, value);
  const auto soon = Steady::now() + std::chrono::milliseconds(20);
  Connection connection(server.get(), "", soon, soon);
  return read_body(head, connection);
}

}  // namespace

TEST_CASE("A body is as long as its Content-Length says, and empty without one") {
  CHECK(body({{"Content-Length", "4"}}, "bodymore").text == "body");
  CHECK(body({{"content-length", "0004"}}, "body").text == "body");
  CHECK(body({{"Content-Length", "4096"}}, std::string(4096, 'x')).text == std::string(4096, 'x'));
  for (const Headers& none : {Headers{}, Headers{{"Content-Length", "0"}}}) {
    const RequestBody empty = body(none, "more", false);
    CHECK(empty.status == 200);
    CHECK(empty.text.empty());
  }
}

TEST_CASE("What is no body, or not whole, says so") {
  CHECK(body({{"Content-Length", "4097"}}, std::string(4097, 'x')).status == 413);
  for (const char* many : {"10000000", "4294967296", "18446744073709551617", "99999999999999999999999999"})
    CHECK(body({{"Content-Length", many}}, "{}").status == 413);
  for (const char* no_number : {"", "-1", "+2", "2x", "0x2", "2, 2", " "})
    CHECK(body({{"Content-Length", no_number}}, "{}").status == 400);
  CHECK(body({{"Content-Length", "2"}, {"Content-Length", "2"}}, "{}").status == 400);
  CHECK(body({{"Content-Length", "20"}}, "{}").status == 400);
  CHECK(body({{"Content-Length", "20"}}, "{}", false).status == 408);
  CHECK(body({{"Transfer-Encoding", "chunked"}}, "2\r\n{}\r\n0\r\n\r\n").status == 411);
  for (const char* packed : {"gzip", "br", "deflate", "identity"})
    CHECK(body({{"Content-Length", "2"}, {"Content-Encoding", packed}}, "{}").status == 415);
}
