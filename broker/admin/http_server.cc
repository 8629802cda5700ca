#include "broker/admin/http_server.h"

#include <fmt/format.h>

#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <list>
#include <utility>

#include "base/assert.h"
#include "base/async/latch.h"
#include "base/async/task_group.h"
#include "base/saturating.h"
#include "broker/net/endpoints.h"

namespace milena::broker {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

// After the last answer of a connection: what the peer still sends is read, so that the answer is not lost
// with it.
constexpr Instant kLinger{2000};
constexpr std::size_t kLingerBytes = 64 * 1024;

using Parser = http::request_parser<http::empty_body>;

constexpr std::string_view kText = "text/plain; charset=utf-8";

struct Answer {
  http::status status = http::status::ok;
  std::string content_type = std::string(kText);
  std::string body{};
  std::string_view more_fields = "";
};

// By hand: Beast's own way to write is a quarter of a megabyte of code for chunks and bodies that are not
// here.
std::string text_of(const Answer& answer, bool with_body, bool keeps_alive) {
  const auto reason = http::obsolete_reason(answer.status);
  return fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n{}\r\n{}",
                     static_cast<unsigned>(answer.status), std::string_view(reason.data(), reason.size()),
                     answer.content_type, answer.body.size(), keeps_alive ? "keep-alive" : "close",
                     answer.more_fields, with_body ? std::string_view(answer.body) : std::string_view());
}

bool announces_body(const Parser& parser) {
  return parser.chunked() || parser.content_length().value_or(0) > 0;
}

}  // namespace

struct HttpServer::Impl {
  // A connection. Lives as long as its coroutine; in `sessions` while it is open.
  struct Session {
    Session(Impl& owner_, TcpSocket socket_)
        : owner(owner_), socket(std::move(socket_)), deadline([this] { close(); }) {}

    // From now on the peer has so long for what is waited for.
    void allow(Instant time) {
      owner.loop.arm(deadline, after(owner.loop.now(), time));
      if (is_open) owner.sessions.splice(owner.sessions.end(), owner.sessions, place);
    }
    void close() {
      if (!std::exchange(is_open, false)) return;
      owner.sessions.erase(place);
      deadline.cancel();
      error_code ignored;
      socket.close(ignored);
    }

    Impl& owner;
    TcpSocket socket;
    Timer deadline;
    std::list<Session*>::iterator place;
    bool is_open = true;
    beast::flat_buffer buffer;
  };

  Impl(Loop& loop_, Limits limits_, std::map<std::string, Page, std::less<>> pages_, const Logger& log_)
      : loop(loop_), limits(limits_), pages(std::move(pages_)), log(log_), acceptor(loop.io()), tasks(loop) {}

  Task<> accept_all();
  Task<> serve(std::shared_ptr<Session> session);
  Task<bool> serve_one(Session& session);
  Task<> linger(Session& session);
  Task<> close_all(Latch& done);
  Answer answer_to(const Parser& parser) const;
  static Answer refusal(const error_code& error);

  Loop& loop;
  const Limits limits;
  const std::map<std::string, Page, std::less<>> pages;
  const Logger& log;
  tcp::acceptor acceptor;
  std::list<Session*> sessions;  // the longest silent first
  TaskGroup tasks;
};

HttpServer::HttpServer(Loop& loop, Limits limits, std::map<std::string, Page, std::less<>> pages,
                       const Logger& log)
    : impl_(std::make_unique<Impl>(loop, limits, std::move(pages), log)) {}

HttpServer::~HttpServer() = default;

std::expected<std::uint16_t, std::string> HttpServer::open(const std::string& host, std::uint16_t port) {
  const auto endpoints = endpoints_of(impl_->loop, host, port);
  error_code error;
  if (endpoints) {
    for (const tcp::endpoint& endpoint : *endpoints) {
      tcp::acceptor acceptor(impl_->loop.io());
      acceptor.open(endpoint.protocol(), error);
      if (error) continue;
      acceptor.set_option(tcp::acceptor::reuse_address(true), error);
      if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
      acceptor.bind(endpoint, error);
      if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
      if (error) continue;
      impl_->acceptor = std::move(acceptor);
      return impl_->acceptor.local_endpoint().port();
    }
  }
  return std::unexpected(fmt::format("The metrics listener failed to bind to {}:{}: {}.", host, port,
                                     endpoints ? error.message() : endpoints.error()));
}

void HttpServer::start() {
  impl_->loop.post([this] { impl_->tasks.spawn("HTTP listener", impl_->accept_all()); });
}

void HttpServer::stop(Runtime& runtime) {
  Latch done;
  impl_->loop.post(
      [&] { asio::co_spawn(impl_->loop.io(), impl_->close_all(done), [](const std::exception_ptr&) {}); });
  runtime.wait(done);
}

Task<> HttpServer::Impl::close_all(Latch& done) {
  error_code ignored;
  acceptor.close(ignored);
  while (!sessions.empty()) sessions.front()->close();
  co_await tasks.stop();
  done.open();
}

Task<> HttpServer::Impl::accept_all() {
  constexpr Instant kWhenFailing{100};
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(loop.io(), kTry);
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    if (error) {  // no descriptors, no memory: wait for some to be given back
      log.warn("the metrics listener cannot accept a connection: {}", error.message());
      if (!co_await sleep_for(loop, kWhenFailing)) co_return;
      continue;
    }
    if (sessions.size() >= limits.connections) sessions.front()->close();
    const auto session = std::make_shared<Session>(*this, std::move(socket));
    session->place = sessions.insert(sessions.end(), session.get());
    tasks.spawn("HTTP connection", serve(session));
  }
}

Task<> HttpServer::Impl::serve(std::shared_ptr<Session> session) {
  error_code ignored;
  session->socket.set_option(tcp::no_delay(true), ignored);
  session->buffer.max_size(limits.header_bytes);
  while (session->is_open) {
    const bool goes_on = co_await serve_one(*session);
    if (!goes_on) break;
  }
  session->close();
}

// False: it was the last request of the connection.
Task<bool> HttpServer::Impl::serve_one(Session& session) {
  if (session.buffer.size() == 0) {
    session.allow(limits.idle);
    auto [error] = co_await session.socket.async_wait(asio::socket_base::wait_read, kTry);
    if (error || !session.is_open) co_return false;
  }
  session.allow(limits.request);
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  auto [read_error, read] = co_await http::async_read_header(session.socket, session.buffer, parser, kTry);
  if (!session.is_open || read_error == http::error::end_of_stream) co_return false;
  // Errors of the socket have another category than those of the parser.
  if (read_error && read_error.category() != make_error_code(http::error::bad_method).category())
    co_return false;
  const bool is_last = read_error || !parser.keep_alive() || announces_body(parser);
  const bool is_head = !read_error && parser.get().method() == http::verb::head;
  const std::string text = text_of(read_error ? refusal(read_error) : answer_to(parser), !is_head, !is_last);
  session.allow(limits.response);
  for (asio::const_buffer rest = asio::buffer(text); rest.size() > 0;) {
    auto [write_error, written] = co_await session.socket.async_write_some(rest, kTry);
    if (write_error || !session.is_open) co_return false;
    rest += written;
  }
  if (is_last) co_await linger(session);
  co_return !is_last;
}

Task<> HttpServer::Impl::linger(Session& session) {
  error_code error;
  session.socket.shutdown(tcp::socket::shutdown_send, error);
  session.allow(kLinger);
  std::array<char, 4096> ignored{};
  for (std::size_t total = 0; !error && session.is_open && total < kLingerBytes;) {
    auto [read_error, bytes] = co_await session.socket.async_read_some(asio::buffer(ignored), kTry);
    error = read_error;
    total += bytes;
  }
}

Answer HttpServer::Impl::refusal(const error_code& error) {
  const bool is_too_long = error == http::error::header_limit || error == http::error::buffer_overflow;
  if (is_too_long) {
    return {.status = http::status::request_header_fields_too_large, .body = "The header is too long.\n"};
  }
  return {.status = http::status::bad_request, .body = "This is not HTTP/1.1.\n"};
}

Answer HttpServer::Impl::answer_to(const Parser& parser) const {
  const auto& request = parser.get();
  const std::string_view target(request.target().data(), request.target().size());
  const auto page = pages.find(target.substr(0, target.find('?')));
  if (page == pages.end()) return {.status = http::status::not_found, .body = "There is no such page.\n"};
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return {.status = http::status::method_not_allowed,
            .body = "Only GET and HEAD are allowed.\n",
            .more_fields = "Allow: GET, HEAD\r\n"};
  }
  Response response = page->second();
  return {.status = http::status(response.status),
          .content_type = std::move(response.content_type),
          .body = std::move(response.body)};
}

}  // namespace milena::broker
