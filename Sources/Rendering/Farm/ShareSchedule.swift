/// Who computes what, where several devices share a frame: one queue, from which each device takes
/// as much as its measured speed is worth, less and less toward the end.
///
/// Pure: times come from outside, so that it is tested in seconds of no clock.
package struct ShareSchedule: Sendable {
    /// What a device shall do next.
    package enum Next: Hashable, Sendable {
        case piece(RenderPiece)
        /// Nothing now; there will be something if another device fails.
        case wait
        /// All is computed.
        case done
    }

    /// One device's account.
    package struct Device: Hashable, Sendable {
        /// Units a second, by its latest pieces; nil before the first one ends.
        package var speed: Double?
        /// Units done.
        package var units = 0
        package var pieceCount = 0
        /// Seconds spent on pieces.
        package var busySeconds = 0.0
        /// When its last piece ended.
        package var finishedSeconds: Double?
        package var isLost = false
        fileprivate var current: RenderPiece?
        fileprivate var beganSeconds = 0.0
        fileprivate var lastUnits = 0
    }

    package private(set) var devices: [Device]
    private let startSeconds: Double
    private var free: [RenderPiece]
    private var freeUnits: Int
    /// What there was to do.
    package let units: Int
    /// What nobody cuts: a unit, or all samples of a tile.
    private let grain: Int

    /// A device's first piece, before anything is known of its speed.
    package static let firstUnits = 4
    /// Between a piece and the next one at most: short ones are mostly overhead, and mislead.
    static let growthMax = 4
    /// Of the time that all of it takes, the least that a piece is cut to: what devices may finish
    /// apart.
    static let leastFraction = 0.01
    /// A piece below this is not worth its launches.
    static let leastSeconds = 0.01
    /// A device is asked again after so long at the latest: its speed may change.
    static let mostSeconds = 4.0

    /// - Parameters:
    ///   - pieces: what is to be done.
    ///   - cutsSamples: whether a tile's samples may be divided; where not, every piece has the
    ///     same ones.
    package init(
        _ pieces: [RenderPiece], cutsSamples: Bool = true, deviceCount: Int, atSeconds: Double
    ) {
        free = pieces
        units = pieces.reduce(0) { $0 + $1.units }
        freeUnits = units
        grain = cutsSamples ? 1 : pieces.first?.samples.count ?? 1
        devices = Array(repeating: Device(), count: deviceCount)
        startSeconds = atSeconds
    }

    package var isDone: Bool { freeUnits == 0 && devices.allSatisfy { $0.current == nil } }

    /// Gives `device`, which is idle, its next piece.
    package mutating func next(for device: Int, atSeconds now: Double) -> Next {
        precondition(devices[device].current == nil, "one piece at a time")
        guard freeUnits > 0 else { return isDone ? .done : .wait }
        let wanted = wantedUnits(device, now)
        guard wanted > 0 else { return .wait }
        let piece = take(wanted)
        devices[device].current = piece
        devices[device].beganSeconds = now
        return .piece(piece)
    }

    /// How many units a device shall take now; zero where others are done sooner without it.
    private func wantedUnits(_ device: Int, _ now: Double) -> Int {
        let own = devices[device]
        let alive = devices.filter { !$0.isLost }
        guard let speed = own.speed else {
            let fair = freeUnits / (4 * alive.count)
            return max(min(Self.firstUnits, fair), 1)
        }
        let together = alive.compactMap(\.speed).reduce(0, +)
        let left = Double(freeUnits + outstandingUnits(now)) / together
        // With half of what is left at a time, an error of judgement can be made good.
        let half = Double(freeUnits) / together / 2
        let least = max(Self.leastFraction * (now - startSeconds + left), Self.leastSeconds)
        let seconds = min(max(half, least), Self.mostSeconds)
        let wanted = Int((speed * seconds / Double(grain)).rounded()) * grain
        // Even the least takes long here.
        if wanted == 0 { return isWorthwhile(device, speed, now) ? grain : 0 }
        return min(wanted, max(own.lastUnits, 1) * Self.growthMax)
    }

    /// Whether there is something left that `device`, idle now, has done before the others have:
    /// the fastest one that is idle always finds that.
    private func isWorthwhile(_ device: Int, _ speed: Double, _ now: Double) -> Bool {
        let seconds = Double(grain) / speed
        var byOthers = 0.0
        for (index, other) in devices.enumerated() where index != device && !other.isLost {
            guard let its = other.speed else { continue }
            let free = seconds * its - Double(outstandingUnits(other, now))
            byOthers += max((free / Double(grain)).rounded(.up) - 1, 0)
        }
        return byOthers < Double(freeUnits / grain)
    }

    /// What is probably left of the pieces that are being computed.
    private func outstandingUnits(_ now: Double) -> Int {
        devices.reduce(0) { $0 + outstandingUnits($1, now) }
    }

    private func outstandingUnits(_ device: Device, _ now: Double) -> Int {
        guard let piece = device.current else { return 0 }
        let done = (device.speed ?? 0) * (now - device.beganSeconds)
        return max(piece.units - Int(min(done, 1e15)), 0)
    }

    /// Cuts a piece of about `wanted` units from the queue: whole tiles while it is worth them,
    /// else a range of samples of one, where these may be cut.
    private mutating func take(_ wanted: Int) -> RenderPiece {
        // The smallest that holds it, else the largest: leaves few crumbs.
        let fitting = free.indices.filter { free[$0].units >= wanted }
        let place =
            fitting.min { free[$0].units < free[$1].units }
            ?? free.indices.max { free[$0].units < free[$1].units } ?? 0
        let source = free.remove(at: place)
        var piece = source
        if wanted < source.samples.count, grain == 1 {
            let tile = source.tiles.lowerBound
            let cut = source.samples.lowerBound + wanted
            piece = RenderPiece(tiles: tile..<tile + 1, samples: source.samples.lowerBound..<cut)
            putBack(piece.tiles, cut..<source.samples.upperBound)
            putBack(tile + 1..<source.tiles.upperBound, source.samples)
        } else {
            let count = min(max(wanted / source.samples.count, 1), source.tiles.count)
            let cut = source.tiles.lowerBound + count
            piece.tiles = source.tiles.lowerBound..<cut
            putBack(cut..<source.tiles.upperBound, source.samples)
        }
        freeUnits -= piece.units
        return piece
    }

    private mutating func putBack(_ tiles: Range<Int>, _ samples: Range<Int>) {
        let piece = RenderPiece(tiles: tiles, samples: samples)
        if piece.units > 0 { free.append(piece) }
    }

    /// The device's piece is computed.
    ///
    /// - Parameter units: how much of it, where somebody asked for an end; by default all.
    package mutating func complete(_ device: Int, atSeconds now: Double, units: Int? = nil) {
        guard let piece = devices[device].current else { return }
        let seconds = max(now - devices[device].beganSeconds, 1e-9)
        let measured = Double(piece.units) / seconds
        // A longer piece says more than a shorter one; alike ones are averaged.
        let isLonger = piece.units > 2 * devices[device].lastUnits
        let old = isLonger ? measured : devices[device].speed ?? measured
        devices[device].speed = (old + measured) / 2
        devices[device].units += units ?? piece.units
        devices[device].pieceCount += 1
        devices[device].busySeconds += seconds
        devices[device].finishedSeconds = now
        devices[device].lastUnits = max(piece.units, devices[device].lastUnits / 2)
        devices[device].current = nil
    }

    /// The device is lost: its piece goes back to the others.
    package mutating func lose(_ device: Int) {
        devices[device].isLost = true
        guard let piece = devices[device].current else { return }
        devices[device].current = nil
        free.append(piece)
        freeUnits += piece.units
    }

    /// The part that is computed, 0…1, with what is probably done of the pieces under way.
    func fraction(of whole: RenderPiece, atSeconds now: Double) -> Double {
        let left = freeUnits + outstandingUnits(now)
        return 1 - Double(left) / Double(whole.units)
    }
}
