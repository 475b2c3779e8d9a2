#include "view/web/reception.hpp"

#include <sys/socket.h>

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("Requests are counted by what they ask for") {
  CHECK(kind_of("GET /stream.mjpg HTTP/1.1") == RequestKind::pictures);
  CHECK(kind_of("GET /stream.mjpg?token=a HTTP/1.1") == RequestKind::pictures);
  CHECK(kind_of("GET /stream.mjpgs HTTP/1.1") == RequestKind::other);
  CHECK(kind_of("GET /api/events HTTP/1.1") == RequestKind::events);
  CHECK(kind_of("PATCH /api/settings HTTP/1.1") == RequestKind::change);
  CHECK(kind_of("GET /api/settings HTTP/1.1") == RequestKind::other);
  CHECK(kind_of("") == RequestKind::other);
  CHECK(kind_of("/stream.mjpg") == RequestKind::other);
}

TEST_CASE("A refusal is a whole answer") {
  const std::string text = refusal(503, "no room");
  CHECK_THAT(text, ContainsSubstring("HTTP/1.1 503 Service Unavailable\r\n") &&
                       ContainsSubstring("Connection: close\r\n"));
  CHECK_THAT(text, ContainsSubstring("\r\n\r\n{\"status\": 503, \"error\": \"no room\"}\n"));
}

TEST_CASE("A connection reads what was read before it, then as much as a body may be, and no more") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const FileDescriptor viewer(ends[0]), server(ends[1]);
  const std::string flood(100'000, 'x');
  std::jthread writer([&] { (void)!::send(viewer.get(), flood.data(), flood.size(), MSG_NOSIGNAL); });
  Connection connection(server.get(), "head", Steady::now() + std::chrono::seconds(30));
  std::string got;
  char part[100];
  for (ssize_t count = 0; (count = connection.read(part, sizeof part)) > 0;)
    got.append(part, static_cast<std::size_t>(count));
  CHECK(got.substr(0, 6) == "headxx");
  CHECK(got.size() >= 4 + Connection::max_body);
  CHECK(got.size() <= 4 + Connection::max_body + 1024);
  ::shutdown(server.get(), SHUT_RDWR);
}

TEST_CASE("A write after the answer's time fails, and one to a viewer who is gone") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  FileDescriptor viewer(ends[0]);
  const FileDescriptor server(ends[1]);
  const int small = 4096;
  ::setsockopt(server.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  Connection connection(server.get(), "", Steady::now() + std::chrono::milliseconds(50));
  CHECK(connection.is_writable());
  const std::string much(1'000'000, 'x');
  ssize_t count = 0;
  while (count >= 0) count = connection.write(much.data(), much.size());  // the viewer reads nothing
  CHECK(count == -1);
  viewer = FileDescriptor();
  CHECK_FALSE(connection.is_writable());
}
