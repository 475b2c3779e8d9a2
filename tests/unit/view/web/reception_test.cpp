#include "view/web/reception.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "view/web/listener.hpp"
#include "view/web/refusal.hpp"

using namespace glimpse;

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

FileDescriptor connected_to(int port) {
  FileDescriptor viewer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  REQUIRE(::connect(viewer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return viewer;
}

void say(const FileDescriptor& viewer, const std::string& text) {
  REQUIRE(::send(viewer.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("A refusal is a whole answer") {
  const std::string text = refusal(503, "no \"room\"");
  const std::size_t end = text.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  const std::string head = text.substr(0, end + 2), body = text.substr(end + 4);
  CHECK(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK_THAT(head, ContainsSubstring("\r\nConnection: close\r\n") &&
                       ContainsSubstring("\r\nRetry-After: 5\r\n") &&
                       ContainsSubstring("\r\nContent-Type: application/json\r\n") &&
                       ContainsSubstring("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
  CHECK(nlohmann::json::parse(body) == nlohmann::json{{"status", 503}, {"error", "no \"room\""}});
  for (const auto& [status, words] :
       {std::pair(400, "Bad Request"), std::pair(404, "Not Found"), std::pair(408, "Request Timeout"),
        std::pair(414, "URI Too Long"), std::pair(431, "Request Header Fields Too Large")}) {
    CHECK(refusal(status, "").starts_with("HTTP/1.1 " + std::to_string(status) + " " + words + "\r\n"));
    CHECK_THAT(refusal(status, ""), !ContainsSubstring("Retry-After"));
  }
}

TEST_CASE("Who is let in has his head without wishes, his body, and 64 KiB of the kernel's") {
  Listener listener = listen_at("127.0.0.1:0");
  std::promise<std::string> heard;
  int buffer = 0;
  {
    const Reception reception(std::move(listener.socket), [&](Connection& connection) {
      socklen_t length = sizeof buffer;
      ::getsockopt(connection.socket(), SOL_SOCKET, SO_SNDBUF, &buffer, &length);
      std::string got;
      char byte = 0;
      while (got.find("body") == std::string::npos && connection.read(&byte, 1) == 1) got += byte;
      heard.set_value(got);
    });
    const FileDescriptor viewer = connected_to(listener.port);
    say(viewer, "PATCH /api/settings HTTP/1.1\r\nRange: bytes=x\r\nHost: a\r\n");
    say(viewer, "\r\nbody");
    CHECK(heard.get_future().get() == "PATCH /api/settings HTTP/1.1\r\nHost: a\r\n\r\nbody");
  }
  CHECK(buffer == 64 * 1024);
}

TEST_CASE("Connections that come without end do not delay the end") {
  Listener listener = listen_at("127.0.0.1:0");
  std::vector<std::jthread> floods;
  std::atomic<int> came = 0;
  {
    const Reception reception(std::move(listener.socket), [](Connection&) {});
    for (int i = 0; i < 3; ++i) {
      floods.emplace_back([&came, port = listener.port](const std::stop_token& stop) {
        for (; !stop.stop_requested(); ++came) {
          const FileDescriptor one(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
          const sockaddr_in address = loopback(port);
          (void)::connect(one.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
        }
      });
    }
    while (came < 2000) std::this_thread::yield();
  }  // ends while they go on
  const int then = came;
  while (came == then) std::this_thread::yield();
}
