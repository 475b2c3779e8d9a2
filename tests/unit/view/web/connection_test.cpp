#include "view/web/connection.hpp"

#include <sys/socket.h>

#include <thread>

#include "catch.hpp"

using namespace glimpse;

namespace {

Steady::time_point late() {
  return Steady::now() + std::chrono::seconds(30);
}

struct Pair {
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    viewer = FileDescriptor(ends[0]);
    server = FileDescriptor(ends[1]);
  }
  FileDescriptor viewer, server;
};

}  // namespace

TEST_CASE("A connection reads what was read before it, then as much as a body may be, and no more") {
  const Pair ends;
  const std::string flood(100'000, 'x');
  std::jthread writer([&] { (void)!::send(ends.viewer.get(), flood.data(), flood.size(), MSG_NOSIGNAL); });
  Connection connection(ends.server.get(), "head", late(), late());
  std::string got;
  char part[100];
  for (ssize_t count = 0; (count = connection.read(part, sizeof part)) > 0;)
    got.append(part, static_cast<std::size_t>(count));
  CHECK(got.substr(0, 6) == "headxx");
  CHECK(got.size() == 4 + Connection::max_body);
  ::shutdown(ends.server.get(), SHUT_RDWR);
}

TEST_CASE("A read ends at its time, and where the viewer has closed its side") {
  const Pair ends;
  char byte = 0;
  Connection in_time(ends.server.get(), "", Steady::now(), late());
  CHECK(in_time.read(&byte, 1) == -1);
  Connection patient(ends.server.get(), "", late(), late());
  ::shutdown(ends.viewer.get(), SHUT_WR);
  CHECK(patient.read(&byte, 1) == 0);
}

TEST_CASE("A write after the answer's time fails") {
  const Pair ends;
  const int small = 4096;
  ::setsockopt(ends.server.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  Connection connection(ends.server.get(), "", late(), Steady::now() + std::chrono::milliseconds(50));
  const std::string much(1'000'000, 'x');
  ssize_t count = 0;
  while (count >= 0) count = connection.write(much.data(), much.size());  // the viewer reads nothing
  CHECK(count == -1);
  CHECK_FALSE(connection.is_writable());
}

TEST_CASE("A viewer is there until it is gone, whatever it has said before") {
  Pair ends;
  Connection connection(ends.server.get(), "", late(), late());
  CHECK(connection.is_writable());
  REQUIRE(::send(ends.viewer.get(), "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(connection.is_writable());
  ends.viewer = FileDescriptor();
  CHECK_FALSE(connection.is_writable());
}
