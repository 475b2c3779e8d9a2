#include "view/web/request_head.hpp"

#include "catch.hpp"

using namespace glimpse;

namespace {

/// 0: none.
int fault(const std::string& head) {
  const auto found = fault_of(head);
  CHECK((!found || !found->error.empty()));
  return found ? found->status : 0;
}

std::string line_of(std::size_t bytes) {  // with its CRLF
  return "A: " + std::string(bytes - 5, 'x') + "\r\n";
}

}  // namespace

TEST_CASE("Requests are counted by what they ask for") {
  CHECK(kind_of("GET /stream.mjpg HTTP/1.1") == RequestKind::pictures);
  CHECK(kind_of("HEAD /stream.mjpg HTTP/1.0") == RequestKind::pictures);
  CHECK(kind_of("GET /stream.mjpg?token=a HTTP/1.1") == RequestKind::pictures);
  CHECK(kind_of("GET /stream.mjpgs HTTP/1.1") == RequestKind::other);
  CHECK(kind_of("GET /api/events HTTP/1.1") == RequestKind::events);
  CHECK(kind_of("PATCH /api/settings HTTP/1.1") == RequestKind::change);
  CHECK(kind_of("GET /api/settings HTTP/1.1") == RequestKind::other);
  CHECK(kind_of("") == RequestKind::other);
  CHECK(kind_of("/stream.mjpg") == RequestKind::other);
}

TEST_CASE("No way of writing a request is counted as another than it is answered") {
  const std::string host = "\r\nHost: localhost";
  for (const char* one :
       {"GET / HTTP/1.1", "GET /stream.mjpg?a=%2e#b HTTP/1.1", "OPTIONS /a HTTP/1.0", "X / Y"})
    CHECK(fault(one + host) == 0);
  for (const char* decoded :
       {"GET /stream%2emjpg HTTP/1.1", "GET /stream.mjpg#a HTTP/1.1", "GET /%73tream.mjpg HTTP/1.1"})
    CHECK(fault(decoded + host) == 404);
  for (const char* no_path :
       {"GET # HTTP/1.1", "GET * HTTP/1.1", "GET ?a HTTP/1.1", "GET http://pi/ HTTP/1.1"})
    CHECK(fault(no_path + host) == 404);
  for (const char* spaced :
       {"GET  /stream.mjpg HTTP/1.1", " GET /stream.mjpg HTTP/1.1", "GET /stream.mjpg  HTTP/1.1",
        "GET /stream.mjpg HTTP/1.1 ", "GET\t/stream.mjpg\tHTTP/1.1", "GET \t/stream.mjpg HTTP/1.1",
        "GET /\nGET /stream.mjpg HTTP/1.1", "GET / HTTP/1.1\nA: b", "GET /\r HTTP/1.1"})
    CHECK(fault(spaced + host) == 400);
}

TEST_CASE("What is no request at all is not understood") {
  for (const char* one : {"", "hello", "GET", "GET /", "GET  HTTP/1.1", "\x16\x03\x01", "GET /\x7f HTTP/1.1"})
    CHECK(fault(one) == 400);
  CHECK(fault(std::string("GET /\0 HTTP/1.1", 16)) == 400);
}

TEST_CASE("A header is at most 8 KiB, and has no control character but the tab") {
  const std::string first = "GET / HTTP/1.1\r\n";
  CHECK(fault(first + line_of(8192) + line_of(8000)) == 0);
  CHECK(fault(first + "A: b\r\n" + line_of(8193)) == 431);
  CHECK(fault("GET /" + std::string(8192 - 16, 'a') + " HTTP/1.1\r\nA: b") == 0);
  CHECK(fault("GET /" + std::string(8192 - 15, 'a') + " HTTP/1.1\r\nA: b") == 414);
  CHECK(fault(first + "A: b\tc \xc3\xa9") == 0);
  for (const char* bad : {"A: b\nRange: bytes=0-", "A: b\rc", "A: \x01"}) CHECK(fault(first + bad) == 400);
}

TEST_CASE("What the library would do at a viewer's wish is left out, and nothing else") {
  CHECK(
      without_wishes("GET / HTTP/1.1\r\nrange: bytes=x\r\nHost: a\r\nACCEPT-ENCODING: br\r\nRanges: b\r\n") ==
      "GET / HTTP/1.1\r\nHost: a\r\nRanges: b\r\n");
  CHECK(without_wishes("GET / HTTP/1.1\r\nRange:\r\nX-Range: a\r\n") == "GET / HTTP/1.1\r\nX-Range: a\r\n");
}
