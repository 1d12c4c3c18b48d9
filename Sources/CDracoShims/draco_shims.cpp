#include "draco_shims.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include <draco/attributes/attribute_octahedron_transform.h>
#include <draco/attributes/attribute_quantization_transform.h>
#include <draco/compression/decode.h>

struct rigor_draco_mesh {
    std::unique_ptr<draco::Mesh> mesh;
};

namespace {

int fail(char *message, const char *text)
{
    std::snprintf(message, RIGOR_DRACO_MESSAGE_BYTES, "%s", text);
    return 1;
}

int decode(
    const uint8_t *bytes, size_t count, rigor_draco_mesh **mesh, uint32_t *points, uint32_t *faces,
    char *message)
{
    draco::DecoderBuffer buffer;
    buffer.Init(reinterpret_cast<const char *>(bytes), count);
    auto type = draco::Decoder::GetEncodedGeometryType(&buffer);
    if (!type.ok()) return fail(message, type.status().error_msg());
    if (type.value() != draco::TRIANGULAR_MESH) return fail(message, "a triangle mesh expected");
    draco::Decoder decoder;
    for (int kind = 0; kind < draco::GeometryAttribute::NAMED_ATTRIBUTES_COUNT; kind++)
        decoder.SetSkipAttributeTransform(static_cast<draco::GeometryAttribute::Type>(kind));
    auto result = decoder.DecodeMeshFromBuffer(&buffer);
    if (!result.ok()) return fail(message, result.status().error_msg());
    std::unique_ptr<draco::Mesh> decoded = std::move(result).value();
    if (!decoded) return fail(message, "no mesh");
    for (draco::FaceIndex face(0); face < decoded->num_faces(); ++face)
        for (int corner = 0; corner < 3; corner++)
            if (decoded->face(face)[corner].value() >= decoded->num_points())
                return fail(message, "a face's point is not there");
    *points = decoded->num_points();
    *faces = decoded->num_faces();
    *mesh = new rigor_draco_mesh{std::move(decoded)};
    return 0;
}

const draco::PointAttribute *find(const rigor_draco_mesh *mesh, uint32_t id)
{
    return mesh->mesh->GetAttributeByUniqueId(id);
}

int describe(const draco::PointAttribute &found, rigor_draco_attribute *attribute)
{
    std::memset(attribute, 0, sizeof *attribute);
    attribute->components = found.num_components();
    if (attribute->components < 1 || attribute->components > 4) return 1;
    attribute->is_float = found.data_type() == draco::DT_FLOAT32;
    const draco::AttributeTransformData *data = found.GetAttributeTransformData();
    if (!data) return 0;
    if (data->transform_type() == draco::ATTRIBUTE_QUANTIZATION_TRANSFORM) {
        draco::AttributeQuantizationTransform transform;
        if (!transform.InitFromAttribute(found)) return 1;
        if (transform.min_values().size() < static_cast<size_t>(attribute->components)) return 1;
        attribute->transform = RIGOR_DRACO_QUANTIZED;
        attribute->quantization_bits = transform.quantization_bits();
        attribute->range = transform.range();
        for (int lane = 0; lane < attribute->components; lane++)
            attribute->minimum[lane] = transform.min_value(lane);
        return 0;
    }
    if (data->transform_type() == draco::ATTRIBUTE_OCTAHEDRON_TRANSFORM) {
        draco::AttributeOctahedronTransform transform;
        if (!transform.InitFromAttribute(found) || attribute->components != 2) return 1;
        attribute->transform = RIGOR_DRACO_OCTAHEDRAL;
        attribute->quantization_bits = transform.quantization_bits();
        return 0;
    }
    return 1;
}

int values(const draco::Mesh &mesh, const draco::PointAttribute &found, int32_t *out)
{
    const int components = found.num_components();
    const bool is_float = found.data_type() == draco::DT_FLOAT32;
    for (draco::PointIndex point(0); point < mesh.num_points(); ++point, out += components) {
        const draco::AttributeValueIndex index = found.mapped_index(point);
        if (index.value() >= found.size()) return 1;
        if (is_float) {
            if (found.byte_stride() < static_cast<int64_t>(4 * components)) return 1;
            found.GetValue(index, out);
        } else if (!found.ConvertValue<int32_t>(index, components, out)) {
            return 1;
        }
    }
    return 0;
}

}  // namespace

int rigor_draco_decode(
    const uint8_t *bytes, size_t count, rigor_draco_mesh **mesh, uint32_t *points, uint32_t *faces,
    char *message)
{
    message[0] = 0;
    try {
        return decode(bytes, count, mesh, points, faces, message);
    } catch (const std::exception &error) {
        return fail(message, error.what());
    } catch (...) {
        return fail(message, "the library failed");
    }
}

void rigor_draco_free(rigor_draco_mesh *mesh)
{
    delete mesh;
}

void rigor_draco_corners(const rigor_draco_mesh *mesh, uint32_t *corners)
{
    for (draco::FaceIndex face(0); face < mesh->mesh->num_faces(); ++face)
        for (int corner = 0; corner < 3; corner++)
            *corners++ = mesh->mesh->face(face)[corner].value();
}

int rigor_draco_describe(
    const rigor_draco_mesh *mesh, uint32_t id, rigor_draco_attribute *attribute)
{
    try {
        const draco::PointAttribute *found = find(mesh, id);
        return found ? describe(*found, attribute) : 1;
    } catch (...) {
        return 1;
    }
}

int rigor_draco_values(const rigor_draco_mesh *mesh, uint32_t id, int32_t *out)
{
    try {
        const draco::PointAttribute *found = find(mesh, id);
        return found ? values(*mesh->mesh, *found, out) : 1;
    } catch (...) {
        return 1;
    }
}
