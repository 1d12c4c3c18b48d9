public import Core

/// Which devices a command uses: `--device`.
///
/// `all`; `cpu` or `gpu`; an index of the list that `rigor probe` prints; else part of a platform's
/// or device's name. Several, separated by commas, join. Without one, the best single device.
public struct DeviceSelector: Hashable, Sendable, CustomStringConvertible {
    private enum Term: Hashable, Sendable {
        case all
        case kind(DeviceDescription.Kind)
        case index(Int)
        case text(String)
    }

    private let terms: [Term]
    public let description: String

    /// The best single device: a GPU before a processor before a simulator.
    public static let best = DeviceSelector(nil)

    public init(_ text: String?) {
        description = text ?? "the best one"
        terms = (text ?? "").split(separator: ",").map { term in
            let term = term.trimmingPrefix { $0 == " " }
            switch term.lowercased() {
            case "all": return .all
            case "cpu": return .kind(.cpu)
            case "gpu": return .kind(.gpu)
            default: return Int(term).map(Term.index) ?? .text(term.lowercased())
            }
        }
    }

    /// Indices into `devices`, ascending.
    ///
    /// - Throws: ``Failure`` `missing`, with the list of devices, when none matches.
    public func select(from devices: [DeviceDescription]) throws(Failure) -> [Int] {
        guard !devices.isEmpty else {
            throw Failure(
                .missing,
                """
                no OpenCL device on this machine; for its processor: apt-get install \
                pocl-opencl-icd; for a GPU, install its vendor's driver\(AddressSpace.note)
                """)
        }
        if terms.isEmpty {
            let ranked = devices.indices.min {
                (Self.rank(devices[$0]), $0) < (Self.rank(devices[$1]), $1)
            }
            return ranked.map { [$0] } ?? []
        }
        var chosen: Set<Int> = []
        for term in terms {
            let matches = devices.indices.filter { Self.matches(term, $0, devices[$0]) }
            guard !matches.isEmpty else {
                let list = devices.enumerated().map { "\($0.offset) = \($0.element.label)" }
                throw Failure(
                    .missing,
                    """
                    no device matches "\(description)"; there are: \(list.joined(separator: ", "))
                    """
                )
            }
            chosen.formUnion(matches)
        }
        return chosen.sorted()
    }

    private static func matches(_ term: Term, _ index: Int, _ device: DeviceDescription) -> Bool {
        switch term {
        case .all: true
        case .kind(let kind): device.kind == kind
        case .index(let wanted): index == wanted
        case .text(let text): device.label.lowercased().contains(text)
        }
    }

    /// Lower is better. Among processors, one whose compiler is made for it.
    private static func rank(_ device: DeviceDescription) -> Int {
        switch device.kind {
        case .gpu: 0
        case .accelerator: 1
        case .cpu: device.prefersWideVectors ? 2 : 3
        case .other: 4
        }
    }
}
