internal import Compute
internal import Core
internal import Digest
internal import Foundation
internal import Hardware
internal import Rendering

/// What one device would take for a render.
struct DeviceQuote {
    let device: String
    var load = 0.0
    var prepare = 0.0
    var compile = 0.0
    var digest = 0.0
    var quote: RenderQuote?
    /// How many there are, and which of them were tried; nil for one picture.
    var frames: (count: Int, tried: [Int])?
    /// How far off the whole may be by what frames differ, as a part of it.
    var spread: Double?
    /// Seconds and pieces that were tried.
    var tried = 0.0
    var watts: Double?
    var pricePerHour: Double?
    var pricePerKwh: Double?
    var order: OrderPrice?
    var failure: Failure?
    /// Whether tiles may end before they have all samples: then it is the most.
    var isMost = false

    init(device: String) { self.device = device }

    /// From the command line to the last sample.
    var seconds: Double {
        load + prepare + compile + (quote?.computeSeconds ?? 0) + digest
    }

    /// Clocks and other work differ between a quote and what was quoted, which no probe sees.
    private static let leastError = 0.1

    /// How far off the computation may be, as a part of it.
    private var relativeError: Double? {
        [quote?.relativeError, spread].compactMap(\.self).max().map { max($0, Self.leastError) }
    }

    /// A market's task is one frame.
    private var taskSeconds: Double { seconds / Double(frames?.count ?? 1) }

    private var joules: Double? { watts.map { $0 * seconds } }
    private var price: Double? {
        let hours = pricePerHour.map { $0 * seconds / 3600 }
        let energy = pricePerKwh.flatMap { price in joules.map { price * $0 / 3.6e6 } }
        guard hours != nil || energy != nil else { return nil }
        return (hours ?? 0) + (energy ?? 0)
    }

    var json: JSON {
        [
            "device": .string(device), "total_seconds": .seconds(seconds),
            "seconds": [
                "load": .seconds(load), "prepare": .seconds(prepare),
                "compile": .seconds(compile),
                "compute": .optional(quote) { .seconds($0.computeSeconds) },
                "digest": .seconds(digest),
            ],
            "at_most": .bool(isMost),
            "relative_error": .optional(relativeError) { .number($0, decimals: 4) },
            "samples_per_second": .optional(quote) { .number($0.samplesPerSecond, decimals: 1) },
            "tried": [
                "pieces": .int(quote?.probes.count ?? 0), "seconds": .seconds(tried),
            ],
            "frames": .optional(frames) {
                ["count": .int($0.count), "tried": .array($0.tried.map(JSON.int))]
            },
            "watts": .optional(watts) { .number($0, decimals: 1) },
            "joules": .optional(joules) { .number($0, decimals: 1) },
            "price": .optional(price) { .number($0, decimals: 6) },
            "order": .optional(order) { $0.json(seconds: quote == nil ? nil : taskSeconds) },
            "failure": .optional(failure) { .string($0.message) },
        ]
    }

    var lines: [String] {
        guard let quote else {
            return ["device   \(device)", "failed   \(failure.map { "\($0)" } ?? "")", ""]
        }
        let off = relativeError.map { "± \(Units.plain($0 * 100, 0)) % of what is computed" }
        var lines = [
            "device   \(device)",
            "time     \(isMost ? "at most " : "")\(Units.significant(seconds)) s, "
                + (off ?? "from so few pieces that nobody knows how far off"),
            """
            seconds  load \(Units.plain(load, 3)), prepare \(Units.plain(prepare, 3)), compile \
            \(Units.plain(compile, 3)), compute \(Units.plain(quote.computeSeconds, 3)), digest \
            \(Units.plain(digest, 3))
            """,
            "rate     \(Units.significant(quote.samplesPerSecond / 1e6)) Msamples/s, by "
                + "\(Units.count(quote.probes.count, "piece")) in \(Units.plain(tried, 1)) s",
            "energy   "
                + (joules.map { "\(Units.significant($0)) J" } ?? "unknown: no sensor tells here"),
        ]
        if let frames {
            let tried = frames.tried.map(String.init).joined(separator: ", ")
            lines.insert(
                "frames   \(frames.count), by those that were tried: \(tried)", at: 1)
        }
        if let price { lines.append("price    \(Units.significant(price))") }
        if let order {
            lines += [order.line] + [order.line(seconds: taskSeconds)].compactMap(\.self)
        }
        if pricePerKwh != nil, joules == nil {
            lines.append("price    of energy unknown, not in the above")
        }
        return lines + [""]
    }

    /// What several devices would take with `--share`, at best.
    static func together(_ quotes: [DeviceQuote]) -> String? {
        let working = quotes.filter { $0.quote != nil }
        guard working.count > 1 else { return nil }
        let rates = working.compactMap { $0.quote.map { 1 / max($0.computeSeconds, 1e-9) } }
        let most = working.map { $0.load + $0.prepare + $0.compile + $0.digest }.max() ?? 0
        return "together \(Units.significant(1 / rates.reduce(0, +) + most)) s with --share, where "
            + "they do not hinder each other"
    }
}

/// Asks each device in turn.
struct DeviceQuotes {
    private let command: QuoteCommand
    private let console: Console
    private let clock = SystemClock()

    init(_ command: QuoteCommand, _ console: Console) {
        self.command = command
        self.console = console
    }

    func run() throws(Failure) -> [DeviceQuote] {
        let parameters = command.render.scene.parameters
        let order = try command.orders.price()
        let devices = try open()
        let work = FrameWork(command.render)
        let animation = AnimationQuote(numbers: command.render.moment.numbers)
        var quotes = [[DeviceQuote]](repeating: [], count: devices.count)
        defer { console.endProgress() }
        for frame in animation.tried {
            let start = clock.monotonicSeconds
            let scene = try work.load(frame: frame)
            let loaded = clock.monotonicSeconds
            let blob = try work.blob(of: scene, frame: frame)
            let prepared = clock.monotonicSeconds
            if !command.render.format.json { work.warn(of: scene, console) }
            for (number, device) in devices.enumerated() {
                var quote = DeviceQuote(device: device.description.label)
                quote.load = loaded - start
                quote.prepare = prepared - loaded
                quote.pricePerHour = command.pricePerHour
                quote.pricePerKwh = command.pricePerKwh
                quote.order = order
                quote.isMost = parameters.noise != nil
                let place = animation.tried.count > 1 ? "frame \(frame) on " : ""
                console.progress("trying \(place)\(quote.device)")
                do throws(Failure) {
                    let budget = command.budget / Double(animation.tried.count)
                    try measure(blob, parameters, on: device, budget: budget, &quote)
                } catch {
                    quote.failure = error
                }
                quotes[number].append(quote)
            }
        }
        return quotes.map { animation.whole($0, parameters) }
    }

    /// Without `--device` all but simulators, which would take hours.
    private func open() throws(Failure) -> [OpenCLDevice] {
        var selection = command.render.device
        let isAsked = selection.device != nil
        if !isAsked { selection.device = "all" }
        let all = try selection.open(home: command.render.home.given)
        let quick = all.filter { isAsked || $0.description.kind != .other }
        return quick.isEmpty ? all : quick
    }

    private func measure(
        _ blob: RenderBlob, _ parameters: RenderParameters, on device: OpenCLDevice,
        budget: Double, _ quote: inout DeviceQuote
    ) throws(Failure) {
        let start = clock.monotonicSeconds
        let run = try RenderRun(
            blob, on: device, clock: clock,
            tuning: .init(device.tuning))
        quote.compile = clock.monotonicSeconds - start
        let pieces = RenderQuote.pieces(of: parameters)
        var probes: [RenderQuote.Probe] = []
        var tiles: [TileSums] = []
        // The first one finds how much the device takes at a time.
        _ = try time(run, pieces[pieces.count - 1], &tiles)
        let meter = PowerMeter(device.description)
        let began = clock.monotonicSeconds
        for piece in pieces {
            probes.append(try time(run, piece, &tiles))
            meter.read()
            if clock.monotonicSeconds - began >= budget { break }
        }
        quote.tried = clock.monotonicSeconds - began
        quote.watts = meter.watts(seconds: quote.tried)
        let pixels = parameters.width * parameters.height
        quote.quote = RenderQuote(
            probes, sampleCount: pixels * parameters.samples, pieceCount: pieces.count)
        let hashing = clock.monotonicSeconds
        _ = TileSums.tree(over: tiles).root
        quote.digest =
            (clock.monotonicSeconds - hashing) * Double(parameters.tileCount) / Double(tiles.count)
    }

    private func time(
        _ run: RenderRun, _ piece: RenderPiece, _ tiles: inout [TileSums]
    ) throws(Failure) -> RenderQuote.Probe {
        let start = clock.monotonicSeconds
        var samples = 0
        var found: [TileSums] = []
        try run.render(
            tiles: piece.tiles, samples: piece.samples,
            advance: { (_: Double) throws(Failure) in },
            finish: { (tile: TileSums) throws(Failure) in
                samples += tile.width * tile.height * tile.sampleCount
                found.append(tile)
            })
        tiles += found
        return RenderQuote.Probe(samples: samples, seconds: clock.monotonicSeconds - start)
    }
}

/// What a device draws at work, where the machine's own files tell: a processor by its energy
/// counters, a card by the sensor at its PCI address. NVIDIA's cards tell only their own library,
/// which is not loaded here.
private final class PowerMeter {
    private let meters: [(meter: EnergyMeter, first: Int)]
    private let pci: PCIAddress?
    private var watts: [Double] = []

    init(_ device: DeviceDescription) {
        let packages = device.kind == .cpu ? EnergyMeter.all(.machine) : []
        // Of psys a package is a part.
        meters = packages.filter { $0.name.hasPrefix("package") }.compactMap { meter in
            meter.microjoules().map { (meter, $0) }
        }
        pci = device.pciAddress.flatMap { PCIAddress($0) }
    }

    /// Looks at a card's sensor; energy counters need no looking at in between.
    func read() {
        guard let pci else { return }
        let own = HardwareMonitor.readings(.machine).filter {
            $0.pci == pci && $0.quantity == .power
        }
        if let reading = own.first { watts.append(reading.value) }
    }

    func watts(seconds: Double) -> Double? {
        if !watts.isEmpty { return watts.reduce(0, +) / Double(watts.count) }
        guard !meters.isEmpty, seconds > 0 else { return nil }
        let joules = meters.reduce(0.0) { sum, item in
            guard let last = item.meter.microjoules() else { return sum }
            return sum + item.meter.joules(from: item.first, to: last)
        }
        return joules / seconds
    }
}
