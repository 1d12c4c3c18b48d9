internal import Core

extension Model {
    /// Whether names are defined once and before they are used, and operators known: what a loader
    /// has seen to.
    ///
    /// - Throws: ``Failure`` when not.
    func check() throws(Failure) {
        guard opsets[""].map(ModelLoader.opsets.contains) ?? false, !outputs.isEmpty,
            outputs.count <= 256, Set(outputs).count == outputs.count
        else { throw Step.broken }
        let names = Set(functions.keys)
        try GraphCheck(functions: names, opsets: opsets).check(graph)
        for function in functions.values {
            var check = GraphCheck(functions: names, opsets: function.opsets)
            check.outer = [Set(function.inputs)]
            guard check.outer[0].count == function.inputs.count, function.graph.inputs.isEmpty
            else { throw Step.broken }
            for case .graph(let graph) in function.attributes.values { try check.check(graph) }
            try check.check(function.graph)
        }
    }
}

private struct GraphCheck {
    let functions: Set<FunctionName>
    let opsets: [String: Int]
    /// Names that graphs around this one define.
    var outer: [Set<String>] = []

    func check(_ graph: Graph) throws(Failure) {
        var own = Set(graph.constants.keys)
        for input in graph.inputs {
            guard own.insert(input.name).inserted else { throw Step.broken }
        }
        for node in graph.nodes {
            try checkOperator(node)
            guard node.inputs.allSatisfy({ $0.isEmpty || isDefined($0, own) }) else {
                throw Step.broken
            }
            for case .graph(let inner) in node.attributes.values {
                var check = self
                check.outer.append(own)
                try check.check(inner)
            }
            for name in node.outputs where !name.isEmpty {
                guard own.insert(name).inserted else { throw Step.broken }
            }
        }
        guard !own.contains(""), graph.outputs.allSatisfy({ isDefined($0, own) }) else {
            throw Step.broken
        }
    }

    private func isDefined(_ name: String, _ own: Set<String>) -> Bool {
        own.contains(name) || outer.contains { $0.contains(name) }
    }

    private func checkOperator(_ node: Node) throws(Failure) {
        let name = FunctionName(domain: node.domain, name: node.type, overload: node.overload)
        if functions.contains(name) { return }
        guard let opset = opsets[node.domain] ?? (node.domain.isEmpty ? nil : 1) else {
            throw Step.broken
        }
        try Operators.check(node, opset: opset)
    }
}
