// One viewer's socket, as the HTTP library reads and writes it: never longer, and never more, than it may.
#pragma once

#include <httplib.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "core/file_descriptor.hpp"
#include "core/waiting.hpp"

namespace glimpse {

class Connection : public httplib::Stream {
 public:
  static constexpr std::size_t max_body = 4096;             // bytes
  static constexpr std::chrono::seconds body_patience{5};   // for all of it
  static constexpr std::chrono::seconds write_patience{5};  // for a write to get anywhere

  /// `head`: what was read already, the request line and all headers at least. `answered_by`: a write after
  /// it fails.
  Connection(int socket, std::string head, Steady::time_point answered_by)
      : socket_(socket), head_(std::move(head)), answered_by_(answered_by) {}

  /// Whether there is more of the request, or may be.
  bool is_readable() const override;
  /// Whether the viewer is still there.
  bool is_writable() const override;
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  const int socket_;
  std::string head_;
  std::size_t taken_ = 0;               // of head_
  std::size_t room_ = max_body + 1024;  // for the rest of the request; a chunked body has frames of its own
  const Steady::time_point read_by_ = Steady::now() + body_patience;
  const Steady::time_point answered_by_;
};

}  // namespace glimpse
