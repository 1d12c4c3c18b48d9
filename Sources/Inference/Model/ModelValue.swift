package import Core
package import Foundation
internal import SwiftProtobuf

/// What goes into a model and comes out of it.
public enum ModelValue: Hashable, Sendable {
    case tensor(Tensor)
    case sequence([Tensor])
    /// An optional that holds nothing.
    case absent
}

/// A graph's inputs and outputs with what their types are. Read apart from ``Model``, which holds
/// only graphs that this version computes.
package struct GraphPorts {
    package struct Port: Hashable, Sendable {
        package var name: String
        package var kind: Kind

        package init(name: String, kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    package enum Kind: Hashable, Sendable {
        case tensor
        case sequence
        case optional
        case other
    }

    /// Without those that are listed beside an initializer of their name.
    package private(set) var inputs: [Port] = []
    package private(set) var outputs: [Port] = []

    /// - Parameter model: an ONNX file's bytes.
    package init(_ model: Data) throws(Failure) {
        for data in try WireMessage(model)[7] {
            let graph = try WireMessage(data)
            var initializers: Set<String> = []
            for tensor in graph[5] {
                initializers.insert(Self.text(try WireMessage(tensor)[8]))
            }
            inputs += try Self.ports(graph[11]).filter { !initializers.contains($0.name) }
            outputs += try Self.ports(graph[12])
        }
    }

    private static func ports(_ infos: [Data]) throws(Failure) -> [Port] {
        var ports: [Port] = []
        for info in infos {
            let info = try WireMessage(info)
            let type = try WireMessage(info[2].last ?? Data())
            // Some programs leave an output's type out: it is a tensor then.
            let kind: Kind =
                if !type[4].isEmpty {
                    .sequence
                } else if !type[9].isEmpty {
                    .optional
                } else if !(type[5] + type[7] + type[8]).isEmpty {
                    .other
                } else {
                    .tensor
                }
            ports.append(Port(name: text(info[1]), kind: kind))
        }
        return ports
    }

    private static func text(_ fields: [Data]) -> String {
        String(decoding: fields.last ?? Data(), as: UTF8.self)
    }
}

extension ModelLoader {
    /// A value from a file of its own: a `TensorProto`, `SequenceProto` or `OptionalProto`, which
    /// only its port's type tells apart.
    ///
    /// - Throws: ``Failure`` naming the place and what was expected.
    package static func value(
        _ data: Data, for port: GraphPorts.Port, _ place: String
    ) throws(Failure) -> ModelValue {
        switch port.kind {
        case .tensor: return .tensor(try tensor(data, place))
        case .sequence: return .sequence(try sequence(data, place))
        case .optional:
            let optional = try message(data, place)
            if let data = optional[3].last { return .tensor(try tensor(data, place)) }
            if let data = optional[5].last { return .sequence(try sequence(data, place)) }
            guard optional[4].isEmpty, optional[6].isEmpty, optional[7].isEmpty else {
                throw Failure(
                    .unsupported, "\(place): an optional of a tensor or a sequence expected")
            }
            return .absent
        case .other:
            throw Failure(
                .unsupported,
                "\(place): \"\(port.name.printable)\": a tensor, a sequence or an optional expected"
            )
        }
    }

    private static func sequence(_ data: Data, _ place: String) throws(Failure) -> [Tensor] {
        let sequence = try message(data, place)
        guard (4...7).allSatisfy({ sequence[$0].isEmpty }) else {
            throw Failure(.unsupported, "\(place): a sequence of tensors expected")
        }
        var tensors: [Tensor] = []
        for (index, data) in sequence[3].enumerated() {
            tensors.append(try tensor(data, "\(place): element \(index)"))
        }
        return tensors
    }

    private static func tensor(_ data: Data, _ place: String) throws(Failure) -> Tensor {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        let message: Onnx_TensorProto
        do {
            message = try Onnx_TensorProto(serializedBytes: data, options: options)
        } catch {
            throw Failure(.malformed, "\(place): not a tensor: \(ModelMessage.reason(error))")
        }
        return try tensor(message, place, nil)
    }

    private static func message(_ data: Data, _ place: String) throws(Failure) -> WireMessage {
        do throws(Failure) {
            return try WireMessage(data)
        } catch {
            throw error.at(place)
        }
    }
}
