internal import Core
internal import NIOHTTP1
internal import Serving

/// All that the protocol asks besides inference.
struct ControlPlane {
    let server: ModelServer

    private static let version = "0.1.0"
    private static let extensions = [
        "binary_tensor_data", "statistics", "model_repository(index only)",
    ]

    func reply(to route: Route) -> Reply {
        switch route {
        case .live: Reply(.ok)
        case .ready: server.isReady ? Reply(.ok) : notReady
        case .server:
            Reply(
                .ok,
                [
                    "name": "rigor", "version": .string(Self.version),
                    "extensions": .array(Self.extensions.map { .string($0) }),
                ])
        case .index:
            Reply(
                .ok,
                .array(
                    server.models.map { model in
                        [
                            "name": .string(model.name), "version": .string(ServedModel.version),
                            "state": .string(server.isReady ? "READY" : "UNAVAILABLE"),
                            "reason": "",
                        ]
                    }))
        case .metadata(let name, let version):
            with(name, version) { Reply(.ok, $0.metadata) }
        case .modelReady(let name, let version):
            with(name, version) { _ in server.isReady ? Reply(.ok) : notReady }
        case .statistics(let name?, let version):
            with(name, version) { Reply(.ok, ["model_stats": [server.statistics($0)]]) }
        case .statistics(nil, _):
            Reply(.ok, ["model_stats": .array(server.models.map(server.statistics))])
        case .infer: Reply(.notFound, error: "no such path")
        }
    }

    private var notReady: Reply { Reply(.serviceUnavailable, error: "not ready") }

    private func with(
        _ name: String, _ version: String?, _ make: (ServedModel) -> Reply
    ) -> Reply {
        do throws(Failure) {
            return make(try server.model(name, version: version))
        } catch {
            return Reply(.notFound, error: error.message)
        }
    }
}
