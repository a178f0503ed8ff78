//! What the server is: version, product, whether it is there (sheet 1.5).

use crate::soap::{Call, Fault, xml::Xml};

/// Ids of the product line and the vendor, as seen on live systems.
const PRODUCT_LINE: &str = "83a8680e-30b1-46d7-8fd2-cb3d0bf7db9e";
const VENDOR: &str = "84594050-3c80-465c-a3ab-7c337ce4fd23";
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";
/// Of the largest product.
const PRODUCT_CODE: u32 = 440;

/// `GetVersion`: what the number counts is not public; this is the year of the release.
pub fn version(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    xml.text(&call.desk.instance.settings.version.major.to_string());
    Ok(())
}

/// `GetServerVersion`.
pub fn server_version(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    xml.text(&call.desk.instance.settings.version.product());
    Ok(())
}

/// `IsOnline`: who can ask is answered by a server that is.
pub fn online(_: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    xml.text("true");
    Ok(())
}

/// `GetProductInfo`.
pub fn product(call: &Call<'_>, xml: &mut Xml) -> Result<(), Fault> {
    let version = call.desk.instance.settings.version;
    let (year, release) = (version.major, version.minor);
    let site = call.desk.world().store.all("sites").next().map(|site| site.id.clone()).unwrap_or_default();
    let code = site.get(..6).unwrap_or_default().to_uppercase();
    xml.put("ProductLine", PRODUCT_LINE);
    xml.put("VendorId", VENDOR);
    xml.put("SubProduct", NO_ID);
    xml.put("MajorVersion", year);
    xml.put("MinorVersion", release);
    xml.put("ServiceVersion", "a");
    xml.put("BuildConfiguration", "Release");
    xml.put("BuildNumber", version.product().split('.').nth(2).unwrap_or_default());
    // Without a zone, as seen on live systems.
    xml.put("BuildDate", format_args!("20{year:02}-01-01T00:00:00"));
    xml.put("ProductCode", PRODUCT_CODE);
    xml.put("ProductName", format_args!("XProtect Corporate 20{year:02} R{release}"));
    xml.put("SLC", format_args!("M01-C01-{year}{release}-01-{code}"));
    Ok(())
}
