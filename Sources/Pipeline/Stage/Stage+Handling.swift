import Foundation
import Model
import Waiting

extension Stage {
    /// When a drain runs out of time, the handlers are cancelled and their work goes back.
    func dispatch(_ course: Course) async {
        let ready = course.ready
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await course.drain.wait()
                try? await options.time.sleep(options.drainLimit)
            }
            group.addTask {
                await withDiscardingTaskGroup { handlers in
                    while case let items = await next(course), !items.isEmpty {
                        for item in items {
                            course.begun.change { $0 += 1 }
                            handlers.addTask {
                                defer { course.begun.change { $0 -= 1 } }
                                guard let work = await begin(item) else { return ready.append([.withheld(item)]) }
                                ready.append([.handled(item, await handle(work, item.trace))])
                            }
                        }
                    }
                }
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Waits for work, and for room to begin it.
    private func next(_ course: Course) async -> [Item] {
        guard options.concurrency != nil else { return await course.works.takeAll() }
        // After a cancellation, what is left is taken at once, and goes back.
        let room = await course.begun.wait { begun in options.mostBegun.map { $0 - begun }.flatMap { $0 > 0 ? $0 : nil }
        }
        return await course.works.take(upTo: room ?? .max)
    }

    /// Whether an item has not waited for so long that its work could exceed the time for which a broker leaves deliveries
    /// unsettled.
    private func isFresh(_ item: Item) -> Bool {
        abs(options.time.now().timeIntervalSince(item.taken)) < StageOptions.longestWait
    }

    /// - Returns: nil if the work is to be given back.
    private func begin(_ item: Item) async -> Handler.Work? {
        guard await options.store.objection() == nil, !options.control.isPaused, isFresh(item) else { return nil }
        do {
            return try await storing("beginning a job") { try await handler.beginning(item.work) }
        } catch let fault as PortFault {
            options.events.tell(.storeFailed(fault.kind))
            options.store.open(fault, handler.plainRow)
            return nil
        } catch {
            // A drain has run out of time: nothing is begun any more.
            return nil
        }
    }

    private func handle(_ work: Handler.Work, _ trace: TraceContext?) async -> Handler.Outcome {
        guard let trace else { return await handler.handle(work) }
        return await Tracer.$current.withValue(trace) { await handler.handle(work) }
    }
}
