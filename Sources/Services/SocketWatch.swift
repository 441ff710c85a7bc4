import CGlibc
import Glibc

/// Waits for many sockets at once by epoll(7), so that a wait costs as much as what has happened, however many sockets there
/// are. It belongs to one thread. Other threads may only wake it.
final class SocketWatch: Sendable {
    /// What has happened on a socket.
    struct Event {
        var socket: Int32
        var isReadable: Bool
        var isWritable: Bool
        var hasFailed: Bool
    }

    private static let batch = 64

    private let poll: Int32
    private let bell: Int32

    init?() {
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard poll >= 0 else { return nil }
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: bell))
        guard bell >= 0, epoll_ctl(poll, EPOLL_CTL_ADD, bell, &event) == 0 else { return nil }
    }

    deinit {
        if bell >= 0 { close(bell) }
        close(poll)
    }

    /// Ends a wait, or keeps the next one from beginning. For any thread.
    func wake() { eventfd_write(bell, 1) }

    /// Begins to watch a socket, or changes what it is watched for.
    /// - Parameter isNew: whether it is not watched yet, as far as is known. It saves a call.
    func watch(_ socket: Int32, reading: Bool, writing: Bool, isNew: Bool) {
        let events = (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
        var event = epoll_event(events: events, data: epoll_data_t(fd: socket))
        if isNew, epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) == 0 { return }
        // The kernel forgets a socket when it is closed, and the next one may have its number.
        if epoll_ctl(poll, EPOLL_CTL_MOD, socket, &event) != 0 { epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) }
    }

    func forget(_ socket: Int32) { epoll_ctl(poll, EPOLL_CTL_DEL, socket, nil) }

    /// Returns what has happened, at the latest after so many milliseconds; nothing if it was woken.
    /// - Parameter milliseconds: negative for as long as it takes.
    func wait(_ milliseconds: Int32) -> [Event] {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: SocketWatch.batch) { events in
            let count = epoll_wait(poll, events.baseAddress, Int32(events.count), milliseconds)
            return (0..<max(0, Int(count))).compactMap { place in
                let (socket, what) = (events[place].data.fd, events[place].events)
                guard socket != bell else {
                    var value = eventfd_t()
                    eventfd_read(bell, &value)
                    return nil
                }
                func has(_ flag: EPOLL_EVENTS) -> Bool { what & flag.rawValue != 0 }
                return Event(
                    socket: socket, isReadable: has(EPOLLIN) || has(EPOLLHUP), isWritable: has(EPOLLOUT),
                    hasFailed: has(EPOLLERR))
            }
        }
    }
}
