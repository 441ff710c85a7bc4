import Foundation

// The functions that libFuzzer calls (https://llvm.org/docs/LibFuzzer.html). Which entry point it feeds says FARM_FUZZ_ENTRY;
// without it the program lists them: name, inputs, length, fixtures.

private let entry: EntryPoint = {
    let name = ProcessInfo.processInfo.environment["FARM_FUZZ_ENTRY"] ?? ""
    if let entry = EntryPoint.all.first(where: { $0.name == name }) { return entry }
    for entry in EntryPoint.all { print(entry.name, entry.inputs, entry.longest, entry.fixtures ?? "") }
    exit(name.isEmpty ? 0 : 2)
}()

/// Called once, before the first input.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutablePointer<CInt>?, _: UnsafeMutableRawPointer?) -> CInt {
    _ = entry
    return 0
}

/// Called with each input; it does not return from one that breaks a promise.
@_cdecl("LLVMFuzzerTestOneInput")
public func take(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: bytes, count: count))
    do {
        let time = try processorTime(of: { try entry.take(input) })
        try promise(time < EntryPoint.limit, "takes \(time)")
    } catch {
        // libFuzzer keeps an input by the crash that it causes.
        fatalError("\(error)")
    }
    return 0
}
